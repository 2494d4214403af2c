{{/* Labels of everything; none of them changes with the chart's version, for KServe copies those of an InferenceService to its
pods. Quoted, here and in the templates: a model may be called true, and a release 1. */}}
{{- define "vision-models.labels" -}}
app.kubernetes.io/name: {{ .model | default "vision-models" | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
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

{{/* The models that are enabled, by name, each with the defaults filled in, all of them checked, as YAML. */}}
{{- define "vision-models.models" -}}
{{- $models := dict -}}
{{- range $name, $said := .Values.models -}}
{{- $model := include "vision-models.overlay" (list $.Values.defaults $said) | fromYaml -}}
{{- if and (gt (int $model.gpu.count) 0) (eq (int $.Values.defaults.gpu.count) 0) -}}
{{- $onGpu := dict "image" $model.gpu.image "resources" $model.gpu.resources -}}
{{- $defaults := include "vision-models.overlay" (list $.Values.defaults $onGpu) | fromYaml -}}
{{- $model = include "vision-models.overlay" (list $defaults $said) | fromYaml -}}
{{- end -}}
{{- if $model.enabled -}}
{{- $_ := set $models $name $model -}}
{{- end -}}
{{- end -}}
{{- range $name, $model := $models -}}
{{- include "vision-models.check" (dict "name" $name "model" $model) -}}
{{- end -}}
{{- include "vision-models.checkTogether" (dict "values" .Values "models" $models) -}}
{{- if .Values.frontend.enabled -}}
{{- include "vision-models.checkFrontend" (dict "root" . "models" $models) -}}
{{- end -}}
{{- toYaml $models -}}
{{- end }}

{{- define "vision-models.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (printf "%s-models" .Release.Name) }}
{{- end }}

{{- define "vision-models.image" -}}
{{- $repository := ternary "kserve-vision/server-gpu" "kserve-vision/server" (gt (int .model.gpu.count) 0) -}}
{{- include "vision-models.imageName" (dict "root" .root "image" .model.image "repository" $repository) -}}
{{- end }}

{{- define "vision-models.imageName" -}}
{{- with .image.registry }}{{ . }}/{{ end -}}
{{ .image.repository | default .repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The frontend's image, with what it takes from the models': where images come from. */}}
{{- define "vision-models.frontendImage" -}}
{{- $image := deepCopy .Values.frontend.image -}}
{{- range $key := (or .Values.defaults.image.repository $image.repository) | empty | not | ternary (list "registry" "pullSecrets") (list "registry" "pullSecrets" "tag") -}}
{{- $_ := set $image $key (get $image $key | default (get $.Values.defaults.image $key)) -}}
{{- end -}}
{{- $_ := set $image "name" (include "vision-models.imageName" (dict "root" . "image" $image "repository" "kserve-vision/frontend")) -}}
{{- toYaml $image -}}
{{- end }}

{{/* What its pods are found by; the models' policies admit its release's callers. */}}
{{- define "vision-models.frontendSelector" -}}
app.kubernetes.io/name: frontend
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: caller
{{- end }}

{{- define "vision-models.frontendResources" -}}
{{- include "vision-models.resources" (dict "resources" .Values.frontend.resources "gpu" (dict "count" 0)) -}}
{{- end }}

{{/* Whether its GPU is a whole one: then a new pod may wait for what the old pod holds. */}}
{{- define "vision-models.wholeGpu" -}}
{{- if and (gt (int .gpu.count) 0) (not (regexMatch "/mig-|\\.shared$" .gpu.resourceName)) -}}yes{{- end -}}
{{- end }}

{{/* Fewest pods that a model has: 0 is asleep, or parked. */}}
{{- define "vision-models.fewest" -}}
{{- ternary .replicas .autoscaling.min (eq .autoscaling.class "none") | int -}}
{{- end }}

{{/* Requests and limits, the GPU among them. As strings, for a CRD takes 2 and "0.5" but not 0.5. */}}
{{- define "vision-models.resources" -}}
{{- $resources := dict -}}
{{- range $kind := list "requests" "limits" -}}
{{- $amounts := dict -}}
{{- range $name, $amount := get $.resources $kind | default dict -}}
{{- $_ := set $amounts $name (ternary $amount (toJson $amount) (kindIs "string" $amount)) -}}
{{- end -}}
{{- if gt (int $.gpu.count) 0 -}}
{{- $_ := set $amounts $.gpu.resourceName (toJson $.gpu.count) -}}
{{- end -}}
{{- $_ := set $resources $kind $amounts -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end }}

{{/* An amount such as 500m or 1Gi, as a number. */}}
{{- define "vision-models.number" -}}
{{- $unit := regexFind "[A-Za-z]*$" . -}}
{{- $units := dict "" 1 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- mulf (trimSuffix $unit . | float64) (get $units $unit) -}}
{{- end }}

{{/* What is routed of gRPC, by service: the methods of inference; never the repository's. Health and reflection are whole. */}}
{{- define "vision-models.grpcMethods" -}}
inference.GRPCInferenceService: [ServerLive, ServerReady, ServerMetadata, ModelReady, ModelMetadata, ModelInfer, ModelStreamInfer]
grpc.health.v1.Health: []
grpc.reflection.v1.ServerReflection: []
grpc.reflection.v1alpha.ServerReflection: []
{{- end }}

{{/* Seconds from SIGTERM to SIGKILL: routes forget the pod, the last request comes in, is answered, and a little more. */}}
{{- define "vision-models.leastGrace" -}}
{{- addf .server.drainDelaySeconds .server.bodyTimeoutSeconds .server.timeoutSeconds 5 | ceil | int -}}
{{- end }}

{{/* For the notes: how one gets in from outside. */}}
{{- define "vision-models.entrance" -}}
through the {{ ternary "Ingress controller" "Gateway" (eq .class "ingress") }}
{{- if .host }} ({{ .host }} must lead there; else give its address, with --header "Host: {{ .host }}"
{{- if eq .class "gateway" }}; https, where its listener has a certificate{{ end }})
{{- else }} (put its address for ADDRESS)
{{- end }}
{{- end }}
