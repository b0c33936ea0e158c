{{/*
The chart's values, also when a parent chart includes a template with its own context. As a dependency under another name,
pass (dict "Values" .Values.thatName "Chart" .Chart "Release" .Release).
*/}}
{{- define "podsecrets.values" -}}
{{- $values := .Values -}}
{{- if hasKey .Values "podsecrets" }}{{ $values = .Values.podsecrets }}{{ end -}}
{{- /* A parent chart removes the default of config with null, beside configMap. */ -}}
{{- $values = merge (dict "config" ($values.config | default dict)) $values -}}
{{- toYaml $values -}}
{{- end -}}

{{- define "podsecrets.image" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
{{- printf "%s:%s" $values.image.repository ($values.image.tag | default "0.1.0") -}}
{{- end -}}

{{- define "podsecrets.configMapName" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
{{- if and $values.configMap $values.config -}}
{{- fail "podsecrets: expected config or configMap in the values, got both: set one of them to null" -}}
{{- else if $values.configMap -}}
{{- $values.configMap -}}
{{- else if $values.config -}}
{{- if ne (toString $values.config.kind) "SecretProviderClass" -}}
{{- fail (printf "podsecrets: expected a SecretProviderClass as config, got kind %q" (toString (default "" $values.config.kind))) -}}
{{- end -}}
{{- printf "podsecrets-%s" (dig "metadata" "name" .Release.Name $values.config) | trunc 253 -}}
{{- else -}}
{{- fail "podsecrets: expected config (a SecretProviderClass) or configMap in the values, got neither" -}}
{{- end -}}
{{- end -}}
