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

{{/* First in initContainers, because the kubelet creates the directory of a subPath as root if a container mounts it earlier. */}}
{{- define "podsecrets.initContainers" -}}
{{- $values := include "podsecrets.values" . | fromYaml -}}
{{- include "podsecrets.checks" (dict "root" . "values" $values) -}}
{{- if eq $values.as "sidecar" -}}
{{- include "podsecrets.sidecar" . -}}
{{- else -}}
{{- include "podsecrets.init" . -}}
{{- end -}}
{{- end -}}

{{/* In containers: the regular sidecar of init+sidecar, otherwise nothing. */}}
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
  {{- with $values.options.exitOnChange }}
  restartPolicyRules:
    - action: RestartAllContainers
      exitCodes: {operator: In, values: [{{ . }}]}
  {{- end }}
  startupProbe:
    httpGet: {path: /readyz, port: {{ $port | required (include "podsecrets.unprobed" $values) }}}
    periodSeconds: 1
    {{- /* The program ends itself after startTimeout; the kubelet keeps the count when a container ends by itself. */}}
    failureThreshold: 86400
  {{- end }}
  {{- with $port }}
  livenessProbe:
    httpGet: {path: /livez, port: {{ . }}}
    periodSeconds: 10
  {{- end }}
  {{- include "podsecrets.body" (dict "root" . "values" $values "command" "sidecar" "skipped" "") | nindent 2 }}
{{- end -}}

{{/* The fields that all containers have. */}}
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
  {{- /* Without a user the container gets the pod's, or the one that the cluster assigns. */}}
  {{- if eq (toString $values.user.uid) "none" }}
  runAsNonRoot: true
  {{- else }}
  runAsNonRoot: {{ ne (int $values.user.uid) 0 }}
  runAsUser: {{ int $values.user.uid }}
  runAsGroup: {{ int $values.user.gid }}
  {{- end }}
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
volumeMounts:
- {name: podsecrets, mountPath: /mnt/podsecrets}
- {name: podsecrets-config, mountPath: /etc/podsecrets, readOnly: true}
{{- end -}}

{{/* options: {notifySignal: SIGHUP} as flags: --notify-signal=SIGHUP. Flags that only the sidecar has are not passed to init. */}}
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

{{/* The port of options.listen (HOST:PORT or [V6]:PORT) if the kubelet's probes can reach it, otherwise nothing. */}}
{{- define "podsecrets.probedPort" -}}
{{- $listen := .options.listen | default "0.0.0.0:8181" -}}
{{- if not (regexMatch "^(127\\.|localhost:|\\[::1\\]:)|:0+$" $listen) }}{{ regexFind "[0-9]+$" $listen }}{{ end -}}
{{- end -}}

{{- define "podsecrets.unprobed" -}}
podsecrets: expected an address in options.listen that the startupProbe reaches, got {{ .options.listen }}
{{- end -}}

{{/* Fails, with a sentence, for values that cannot work together. */}}
{{- define "podsecrets.checks" -}}
{{- $options := .values.options -}}
{{- $capabilities := .root.Capabilities -}}
{{- if and (eq .values.as "sidecar") $capabilities -}}
{{- $version := $capabilities.KubeVersion.Version -}}
{{- if semverCompare "<1.29-0" $version -}}
{{- fail (printf "podsecrets: as: sidecar needs Kubernetes 1.29+, this is %s: use as: init+sidecar" $version) -}}
{{- end -}}
{{- end -}}
{{- if and $options.notifySignal (not (or $options.notifyProcess $options.notifyPidFile)) -}}
{{- fail "podsecrets: options.notifySignal needs options.notifyProcess or options.notifyPidFile: which process gets the signal" -}}
{{- end -}}
{{- if .values.config -}}
{{- $provider := dig "spec" "provider" "aws" .values.config -}}
{{- if ne $provider "aws" -}}
{{- fail (printf "podsecrets: expected a SecretProviderClass of the provider aws, got %q" $provider) -}}
{{- end -}}
{{- if and $options.syncSecrets (not (dig "spec" "secretObjects" list .values.config)) -}}
{{- fail "podsecrets: options.syncSecrets needs secretObjects in config: no Secret would be created" -}}
{{- end -}}
{{- end -}}
{{- if and $options.exitOnChange (ne .values.as "sidecar") -}}
{{- fail (printf "podsecrets: options.exitOnChange has no effect with as: %s" .values.as) -}}
{{- end -}}
{{- if and $options.adoptDriverSecrets (eq .values.as "init") -}}
{{- fail "podsecrets: options.adoptDriverSecrets does not work with as: init, which cannot recreate a Secret that the garbage collector deletes with the old pods" -}}
{{- end -}}
{{- if and $options.adoptDriverSecrets (not $options.syncSecrets) -}}
{{- fail "podsecrets: options.adoptDriverSecrets needs options.syncSecrets" -}}
{{- end -}}
{{- end -}}
