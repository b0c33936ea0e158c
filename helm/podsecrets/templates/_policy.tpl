{{/* The API version of the policy that the cluster has; empty when it has none. */}}
{{- define "podsecrets.policyVersion" -}}
{{- if and .Values.policy.enabled .Chart.IsRoot -}}
{{- if .Values.policy.apiVersion -}}
{{- .Values.policy.apiVersion -}}
{{- else if semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version -}}
v1
{{- else if semverCompare ">=1.34.0-0" .Capabilities.KubeVersion.Version -}}
v1beta1
{{- end -}}
{{- end -}}
{{- end -}}
