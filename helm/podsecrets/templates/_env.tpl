{{/*
The variables of the config's envFile, for the env of a container (Kubernetes 1.35+):

  - name: app
    env:
    {{- include "podsecrets.env" . | nindent 4 }}
*/}}
{{- define "podsecrets.env" -}}
{{- include "podsecrets.envEntries" . | trim -}}
{{- end -}}

{{- define "podsecrets.envEntries" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
{{- include "podsecrets.fileKeyRef" (list "podsecrets.env" .Capabilities.KubeVersion.Version) -}}
{{- if not $values.config -}}
{{- fail "podsecrets: podsecrets.env needs config: the chart cannot read a ConfigMap, so write their fileKeyRef entries in the pod spec" -}}
{{- end -}}
{{- $parameters := dig "spec" "parameters" dict $values.config -}}
{{- $translation := $parameters.pathTranslation | default "_" -}}
{{- $separator := eq (lower $translation) "false" | ternary "/" $translation -}}
{{- $file := $parameters.envFile | required "podsecrets: podsecrets.env needs the parameter envFile in config" | replace "/" $separator -}}
{{- range $object := $parameters.objects | default "" | fromYamlArray -}}
{{- if not (kindIs "map" $object) }}{{ fail "podsecrets: expected a list of objects in config" }}{{ end -}}
{{- if and $object.env $object.expand -}}
{{- fail (printf "podsecrets: fileKeyRef needs names, got the pattern %s: list them by jmesPath, or use podsecrets exec" $object.env) -}}
{{- end -}}
{{- range $entry := prepend ($object.jmesPath | default list) $object -}}
{{- with $entry.env }}
- name: {{ . | quote }}
  valueFrom:
    fileKeyRef:
      volumeName: podsecrets
      path: {{ printf "files/%s" $file | quote }}
      key: {{ . | quote }}
      {{- if eq (toString $object.optional) "true" }}
      optional: true
      {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Fails before Kubernetes 1.35. Takes a list: the name of the feature for the message, and the version. */}}
{{- define "podsecrets.fileKeyRef" -}}
{{- if semverCompare "<1.35-0" (last .) -}}
{{- fail (printf "podsecrets: %s needs Kubernetes 1.35+ for fileKeyRef, this is %s: read the file of envFile instead" (first .) (last .)) -}}
{{- end -}}
{{- end -}}
