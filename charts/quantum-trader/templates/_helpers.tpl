{{- define "quantum.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change: selectors use them. */}}
{{- define "quantum.selectorLabels" -}}
app.kubernetes.io/name: quantum-trader
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "quantum.labels" -}}
{{ include "quantum.selectorLabels" . }}
app.kubernetes.io/part-of: quantum-trader
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "quantum.image" -}}
{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end -}}

{{- define "quantum.operatorAccount" -}}
{{- default (printf "%s-operator" (include "quantum.fullname" .)) .Values.operator.serviceAccount.name -}}
{{- end -}}

{{- define "quantum.accountsSecret" -}}
{{- if .Values.accounts.existingSecret -}}
{{- .Values.accounts.existingSecret -}}
{{- else if .Values.accounts.generateDemo -}}
{{- printf "%s-accounts" (include "quantum.fullname" .) -}}
{{- else -}}
{{- fail "accounts: set accounts.existingSecret to a Secret with one <pod name>.json per engine, or accounts.generateDemo=true for the simulator" -}}
{{- end -}}
{{- end -}}

{{- define "quantum.haltSecret" -}}
{{- default (printf "%s-halt" (include "quantum.fullname" .)) .Values.halt.existingSecret -}}
{{- end -}}

{{- define "quantum.restUrl" -}}
{{- if .Values.engines.exchange.restUrl -}}
{{- .Values.engines.exchange.restUrl -}}
{{- else if .Values.simulator.enabled -}}
{{- printf "http://%s-simulator:8080" (include "quantum.fullname" .) -}}
{{- else -}}
{{- fail "engines.exchange.restUrl and streamUrl: name the exchange, or set simulator.enabled=true" -}}
{{- end -}}
{{- end -}}

{{- define "quantum.streamUrl" -}}
{{- if .Values.engines.exchange.streamUrl -}}
{{- .Values.engines.exchange.streamUrl -}}
{{- else if .Values.simulator.enabled -}}
{{- printf "ws://%s-simulator:8080" (include "quantum.fullname" .) -}}
{{- else -}}
{{- fail "engines.exchange.restUrl and streamUrl: name the exchange, or set simulator.enabled=true" -}}
{{- end -}}
{{- end -}}

{{/* Who and where the pod is. */}}
{{- define "quantum.podEnv" -}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_UID
  valueFrom: {fieldRef: {fieldPath: metadata.uid}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end -}}

{{/* The Redis URL as variable `.name`; nothing when there is no Redis. */}}
{{- define "quantum.redisEnv" -}}
{{- $values := .root.Values.redis -}}
{{- if $values.auth.existingSecret }}
- name: REDIS_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $values.auth.existingSecret }}, key: password}}
{{- end }}
{{- if $values.enabled }}
- name: {{ .name }}
  value: redis://{{ if $values.auth.existingSecret }}:$(REDIS_PASSWORD)@{{ end }}{{ include "quantum.fullname" .root }}-redis:6379
{{- else if $values.externalUrl }}
- name: {{ .name }}
  value: {{ $values.externalUrl | quote }}
{{- end }}
{{- end -}}

{{- define "quantum.probeTiming" -}}
periodSeconds: {{ .Values.probes.periodSeconds }}
timeoutSeconds: {{ .Values.probes.timeoutSeconds }}
{{- end -}}

{{/* What every pod's spec has in common. */}}
{{- define "quantum.podDefaults" -}}
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "quantum.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* CEL: may this requester use `.verb` on `.resource`?  A wildcard right of a service account does not count: see admission.wildcardServiceAccounts.
A messageExpression cannot see the authorizer, hence two variables and two messages. */}}
{{- define "quantum.mayUse" -}}
- name: user
  expression: request.userInfo.username
# The request bears no name when a whole collection is deleted.
- name: target
  expression: >-
    authorizer.group('quantumtrader.io').resource('{{ .resource }}').namespace(request.namespace)
    .name(oldObject == null ? '' : oldObject.metadata.name)
- name: allowed
  expression: variables.target.check('{{ .verb }}').allowed()
# No rule names this verb, so whoever has it has every verb.
- name: byWildcardOnly
  expression: >-
    variables.user.startsWith('system:serviceaccount:') &&
    !(variables.user in {{ .root.Values.admission.wildcardServiceAccounts | toJson | replace "\"" "'" }}) &&
    variables.target.check('no-rule-names-this-verb').allowed()
{{- end -}}

{{/* CEL: the namespace controller empties a namespace that is being deleted, engines and all. */}}
{{- define "quantum.namespaceEnds" -}}
- name: namespaceEnds
  expression: >-
    request.operation == 'DELETE' && has(namespaceObject.metadata.deletionTimestamp) &&
    request.userInfo.username in {{ .Values.admission.namespaceControllers | toJson | replace "\"" "'" }}
{{- end -}}

{{- define "quantum.guardBinding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels: {{- include "quantum.labels" (dict "root" .root "component" "admission") | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end -}}
