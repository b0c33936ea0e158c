{{- define "podsecrets.volumes" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
- name: podsecrets
  emptyDir: {medium: Memory, sizeLimit: {{ $values.sizeLimit }}}
- name: podsecrets-config
  configMap: {name: {{ include "podsecrets.configMapName" . }}}
{{- end -}}

{{/* The mount of a container that reads the files: the directory that podsecrets creates in the volume, not the volume. */}}
{{- define "podsecrets.mounts" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
- {name: podsecrets, mountPath: {{ $values.dir | quote }}, subPath: files, readOnly: true}
{{- end -}}
