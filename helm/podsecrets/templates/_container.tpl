{{/*
The containers. Three lines in a pod spec are enough:

  initContainers:
  {{- include "podsecrets.initContainers" . | nindent 2 }}
  containers:
  - name: app
    volumeMounts:
    {{- include "podsecrets.mounts" . | nindent 4 }}
  {{- include "podsecrets.containers" . | nindent 2 }}     (only for as: init+sidecar)
  volumes:
  {{- include "podsecrets.volumes" . | nindent 2 }}
*/}}

{{/* What stands first in initContainers: the kubelet makes the directory of a subPath as root, if a container mounts it earlier. */}}
{{- define "podsecrets.initContainers" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
{{- if eq $values.as "sidecar" -}}
{{- include "podsecrets.sidecar" . -}}
{{- else -}}
{{- include "podsecrets.init" . -}}
{{- end -}}
{{- end -}}

{{/* What stands in containers: nothing, unless a plain sidecar is wanted. */}}
{{- define "podsecrets.containers" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
{{- if eq $values.as "init+sidecar" -}}
{{- include "podsecrets.sidecar" . -}}
{{- end -}}
{{- end -}}

{{- define "podsecrets.init" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
{{- range (eq $values.as "init" | ternary (list "interval" "listen") list) -}}
{{- if hasKey $values.options . }}{{ fail (printf "podsecrets: expected a sidecar for options.%s, got as: init, which runs once" .) }}{{ end -}}
{{- end -}}
{{- $skipped := ternary "--notify-" "" (eq $values.as "init+sidecar") -}}
- name: podsecrets-init
  {{- include "podsecrets.body" (dict "root" . "values" $values "command" "init" "skipped" $skipped) | nindent 2 }}
{{- end -}}

{{- define "podsecrets.sidecar" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
- name: podsecrets
  {{- $port := include "podsecrets.probedPort" $values }}
  {{- if eq $values.as "sidecar" }}
  restartPolicy: Always
  startupProbe:
    httpGet: {path: /readyz, port: {{ $port | required (include "podsecrets.unprobed" $values) }}}
    periodSeconds: 1
    failureThreshold: {{ add 10 (include "podsecrets.seconds" ($values.options.startTimeout | default "60s")) }}
  {{- end }}
  {{- with $port }}
  livenessProbe:
    httpGet: {path: /livez, port: {{ . }}}
    periodSeconds: 10
  {{- end }}
  {{- include "podsecrets.body" (dict "root" . "values" $values "command" "sidecar" "skipped" "") | nindent 2 }}
{{- end -}}

{{/* What all of them have. */}}
{{- define "podsecrets.body" -}}
{{- $values := .values -}}
image: {{ include "podsecrets.image" .root }}
{{- with $values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
args:
- {{ .command }}
- --config=/etc/podsecrets/config.yaml=/mnt/podsecrets/files
{{- include "podsecrets.arguments" . }}
{{- if and $values.options.syncSecrets (ne ($values.options.secretOwner | default "retain") "retain") }}
env:
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
{{- end }}
resources: {{- toYaml $values.resources | nindent 2 }}
securityContext:
  runAsNonRoot: {{ ne (int $values.user.uid) 0 }}
  runAsUser: {{ int $values.user.uid }}
  runAsGroup: {{ int $values.user.gid }}
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
volumeMounts:
- {name: podsecrets, mountPath: /mnt/podsecrets}
- {name: podsecrets-config, mountPath: /etc/podsecrets, readOnly: true}
{{- end -}}

{{/* options: {notifySignal: SIGHUP} as flags: --notify-signal=SIGHUP. Those that only the sidecar knows are not init's. */}}
{{- define "podsecrets.arguments" -}}
{{- $command := .command -}}
{{- $skipped := .skipped -}}
{{- range $name, $value := .values.options -}}
{{- $flag := printf "--%s" (kebabcase $name) -}}
{{- $foreign := and (eq $command "init") (has $name (list "interval" "listen")) -}}
{{- $silent := and $skipped (hasPrefix $skipped $flag) -}}
{{- if not (or $foreign $silent (eq (toString $value) "false")) }}
- {{ ternary $flag (printf "%s=%v" $flag $value) (eq (toString $value) "true") | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The port of options.listen (HOST:PORT or [V6]:PORT), where the kubelet can ask; nothing where it cannot. */}}
{{- define "podsecrets.probedPort" -}}
{{- $listen := .options.listen | default "0.0.0.0:8181" -}}
{{- if not (regexMatch "^(127\\.|localhost:|\\[::1\\]:)|:0+$" $listen) }}{{ regexFind "[0-9]+$" $listen }}{{ end -}}
{{- end -}}

{{- define "podsecrets.unprobed" -}}
podsecrets: expected an address in options.listen that the startupProbe reaches, got {{ .options.listen }}
{{- end -}}

{{/* 1m30s as 90, rounded up. */}}
{{- define "podsecrets.seconds" -}}
{{- $units := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 -}}
{{- $seconds := 0.0 -}}
{{- range regexFindAll "[0-9.]+(ms|s|m|h)" . -1 -}}
{{- $unit := regexFind "[a-z]+" . -}}
{{- $seconds = addf $seconds (mulf (trimSuffix $unit . | float64) (get $units $unit)) -}}
{{- end -}}
{{- ceil $seconds -}}
{{- end -}}
