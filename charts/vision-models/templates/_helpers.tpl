{{/* Labels of everything; none of them changes with the chart's version, for KServe copies those of an InferenceService to its pods. */}}
{{- define "vision-models.labels" -}}
app.kubernetes.io/name: {{ .model | default "vision-models" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: vision-models
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* What KServe labels a model's pods with. */}}
{{- define "vision-models.selector" -}}
app: isvc.{{ . }}-predictor
{{- end }}

{{/* The first map with what the second says laid over it, as YAML. Helm's own merge takes 0 and false for nothing. */}}
{{- define "vision-models.overlay" -}}
{{- $laid := deepCopy (index . 0) -}}
{{- range $key, $value := index . 1 -}}
{{- $under := get $laid $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $under) -}}
{{- $_ := set $laid $key (include "vision-models.overlay" (list $under $value) | fromYaml) -}}
{{- else -}}
{{- $_ := set $laid $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $laid -}}
{{- end }}

{{/* The models that are enabled, by name, each with the defaults filled in and checked, as YAML. */}}
{{- define "vision-models.models" -}}
{{- $models := dict -}}
{{- range $name, $said := .Values.models -}}
{{- $model := include "vision-models.overlay" (list $.Values.defaults ($said | default dict)) | fromYaml -}}
{{- if $model.enabled -}}
{{- include "vision-models.check" (dict "root" $ "name" $name "model" $model) -}}
{{- $_ := set $models $name $model -}}
{{- end -}}
{{- end -}}
{{- toYaml $models -}}
{{- end }}

{{- define "vision-models.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (printf "%s-models" .Release.Name) }}
{{- end }}

{{- define "vision-models.image" -}}
{{- $image := .model.image -}}
{{- $repository := $image.repository | default (ternary "kserve-vision/server-gpu" "kserve-vision/server" (gt (int .model.gpu.count) 0)) -}}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else -}}
{{ $repository }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Whether its GPUs are whole: then a new pod may wait for one that the old pod holds. */}}
{{- define "vision-models.wholeGpus" -}}
{{- if and (gt (int .gpu.count) 0) (eq .gpu.resourceName "nvidia.com/gpu") -}}yes{{- end -}}
{{- end }}

{{/* Seconds from SIGTERM to SIGKILL: routes forget the pod, the last request comes in, is answered, and a little more. */}}
{{- define "vision-models.leastGrace" -}}
{{- add (int .server.drainDelaySeconds) (int .server.bodyTimeoutSeconds) (int .server.timeoutSeconds) 5 -}}
{{- end }}
