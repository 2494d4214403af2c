{{/* What the schema can't say, each in a sentence that names the key. */}}
{{- define "vision-models.check" -}}
{{- $name := .name -}}{{- $model := .model -}}{{- $at := printf "models.%s" $name -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "%s: a name has a-z, 0-9 and '-', begins with a letter and ends with a letter or digit, as KServe asks" $at) -}}
{{- end -}}
{{- if gt (len $name) 48 -}}
{{- fail (printf "%s: a name has at most 48 characters, as KServe asks; this one has %d" $at (len $name)) -}}
{{- end -}}
{{- if and $model.bundle.baked $model.bundle.storageUri -}}
{{- fail (printf "%s.bundle: baked and storageUri are both given; a bundle is in the image or downloaded, so leave one out" $at) -}}
{{- end -}}
{{- if not (or $model.bundle.baked $model.bundle.storageUri) -}}
{{- fail (printf "%s.bundle: neither baked nor storageUri is given; say baked: true, or where to download it from" $at) -}}
{{- end -}}
{{- if and $model.bundle.storageUri (not (regexMatch "^(https?|s3|gs|hf|pvc|hdfs|webhdfs|modelscope)://.+" $model.bundle.storageUri)) -}}
{{- fail (printf "%s.bundle.storageUri: %q is no address that KServe downloads from: https://, s3://, gs://, hf://, pvc://CLAIM/FOLDER" $at $model.bundle.storageUri) -}}
{{- end -}}
{{- include "vision-models.checkScaling" (dict "at" (printf "%s.autoscaling" $at) "scaling" $model.autoscaling "resources" $model.resources) -}}
{{- include "vision-models.checkServer" (dict "at" $at "model" $model) -}}
{{- $grace := int $model.gracePeriodSeconds -}}{{- $least := int (include "vision-models.leastGrace" $model) -}}
{{- if and $grace (lt $grace $least) -}}
{{- fail (printf "%s.gracePeriodSeconds: %d is less than server.drainDelaySeconds + bodyTimeoutSeconds + timeoutSeconds + 5 = %d, so requests would be lost; leave it at 0, or shorten those" $at $grace $least) -}}
{{- end -}}
{{- if and .root.Values.routes.public (eq .root.Values.routes.class "gateway") (not .root.Values.routes.gateway.parentRefs) -}}
{{- fail "routes.gateway.parentRefs: is empty; name the Gateway that takes the routes, or set routes.class: ingress" -}}
{{- end -}}
{{- if and .root.Values.routes.grpc.host (not (contains "MODEL" .root.Values.routes.grpc.host)) -}}
{{- fail (printf "routes.grpc.host: %q does not say MODEL; each model needs a host name of its own, such as MODEL.grpc.example.com" .root.Values.routes.grpc.host) -}}
{{- end -}}
{{- end }}

{{- define "vision-models.checkScaling" -}}
{{- $at := .at -}}{{- $scaling := .scaling -}}
{{- if ne $scaling.class "none" -}}
{{- if gt (int $scaling.min) (int $scaling.max) -}}
{{- fail (printf "%s.min: %d is more than max, %d" $at (int $scaling.min) (int $scaling.max)) -}}
{{- end -}}
{{- if and (eq (int $scaling.min) 0) (eq $scaling.class "hpa") -}}
{{- fail (printf "%s.min: 0 is not for hpa, which can't wake a model that has no pods; use 1, or class: keda with triggers" $at) -}}
{{- end -}}
{{- if and (eq (int $scaling.min) 0) (eq $scaling.class "keda") (not $scaling.keda.triggers) -}}
{{- fail (printf "%s.min: 0 needs keda.triggers that something else publishes, such as the ingress or a queue: a model without pods has no metric that would wake it" $at) -}}
{{- end -}}
{{- if and (eq $scaling.class "hpa") (not $scaling.metrics) (eq (int $scaling.cpuUtilization) 0) -}}
{{- fail (printf "%s.cpuUtilization: is 0 and metrics is empty, so hpa has nothing to go by; set one of them" $at) -}}
{{- end -}}
{{- if and (eq $scaling.class "hpa") (gt (int $scaling.cpuUtilization) 0) (not (dig "requests" "cpu" "" .resources)) -}}
{{- fail (printf "%s.cpuUtilization: is a share of resources.requests.cpu, which is not set" $at) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "vision-models.checkServer" -}}
{{- $at := .at -}}{{- $owned := list "--model" "--models" "--device" "--precision" "--engine" "--host" "--http-port" "--grpc-port" "--metrics-port" "--timeout-seconds" "--body-timeout-seconds" "--drain-delay-seconds" "--max-body-bytes" "--max-batch" "--queue-size" "--no-access-log" -}}
{{- range .model.server.args -}}
{{- $option := first (splitList "=" .) -}}
{{- if has $option $owned -}}
{{- fail (printf "%s.server.args: %s is the chart's; use the value that stands for it (server, variant, gpu)" $at $option) -}}
{{- end -}}
{{- end -}}
{{- range .model.env -}}
{{- if eq .name "STORAGE_URI" -}}
{{- fail (printf "%s.env: STORAGE_URI is the chart's; use bundle.storageUri" $at) -}}
{{- end -}}
{{- end -}}
{{- if and (gt (int .model.gpu.count) 1) (eq .model.gpu.resourceName "nvidia.com/gpu") -}}
{{- fail (printf "%s.gpu.count: %d, but a pod uses one GPU; scale out with replicas instead" $at (int .model.gpu.count)) -}}
{{- end -}}
{{- range $key := list "annotations" "labels" -}}
{{- range $name, $_ := get $.model $key -}}
{{- if hasPrefix "serving.kserve.io/" $name -}}
{{- fail (printf "%s.%s: %s is the chart's to set%s" $at $key $name (ternary ": Knative mode is not supported, models run in Standard mode" "" (eq $name "serving.kserve.io/deploymentMode"))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
