{{/* The rules for --sync-secrets: the named Secrets of one namespace, and with --secret-owner workload the pod's controllers. */}}
{{- define "podsecrets.rbac" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
{{- $names := list -}}
{{- range (dig "spec" "secretObjects" list $values.config) }}{{ $names = append $names .secretName }}{{ end -}}
{{- if and $values.options.syncSecrets $names -}}
{{- $name := printf "podsecrets-%s" (dig "metadata" "name" .Release.Name $values.config) -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: {{ $name }}, namespace: {{ .Release.Namespace }}}
rules:
- apiGroups: [""]
  resources: [secrets]
  resourceNames: {{ $names | uniq | sortAlpha | toJson }}
  verbs: [get, create, patch, delete]
{{- if eq ($values.options.secretOwner | default "retain") "workload" }}
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [apps], resources: [replicasets], verbs: [get]}
- {apiGroups: [batch], resources: [jobs], verbs: [get]}
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: {{ $name }}, namespace: {{ .Release.Namespace }}}
subjects:
- {kind: ServiceAccount, name: {{ $values.serviceAccountName }}, namespace: {{ .Release.Namespace }}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $name }}}
{{- end -}}
{{- end -}}
