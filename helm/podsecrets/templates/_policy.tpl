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

{{/*
The annotations as CEL variables: the words of podsecrets.io/env, the valid names among them without duplicates, and the file. An
invalid word is not added to a pod spec; the ValidatingAdmissionPolicy reports it.
*/}}
{{- define "podsecrets.envVariables" -}}
- name: words
  expression: |
    object.metadata.annotations[?'podsecrets.io/env'].orValue('').split(',').map(w, w.trim())
- name: names
  expression: |
    variables.words.transformList(i, w,
      w.matches('^[A-Za-z_][A-Za-z0-9_]{0,127}$') && variables.words.indexOf(w) == i, w)
- name: file
  expression: |
    object.metadata.annotations[?'podsecrets.io/env-file'].orValue('').find(
      '^[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$')
{{- end -}}
