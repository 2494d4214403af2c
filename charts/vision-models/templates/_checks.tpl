{{/* What the schema can't say, each in a sentence that names the key. */}}
{{- define "vision-models.check" -}}
{{- $at := printf "models.%s" .name -}}{{- $model := .model -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .name) -}}
{{- fail (printf "%s: a name has a-z, 0-9 and '-', begins with a letter and ends with a letter or digit, as KServe asks" $at) -}}
{{- end -}}
{{- if gt (len .name) 48 -}}
{{- fail (printf "%s: a name has at most 48 characters, as KServe asks; this one has %d" $at (len .name)) -}}
{{- end -}}
{{- if and $model.bundle.baked $model.bundle.storageUri -}}
{{- fail (printf "%s.bundle: baked and storageUri are both given; a bundle is in the image or downloaded, so leave one out, or say baked: false where defaults say true" $at) -}}
{{- end -}}
{{- if not (or $model.bundle.baked $model.bundle.storageUri) -}}
{{- fail (printf "%s.bundle: neither baked nor storageUri is given; say baked: true, or where to download it from" $at) -}}
{{- end -}}
{{- if and $model.bundle.storageUri (not (regexMatch "^(https?|s3|gs|hf|pvc|hdfs|webhdfs|modelscope)://.+" $model.bundle.storageUri)) -}}
{{- fail (printf "%s.bundle.storageUri: %q is no address that KServe downloads from: https://, s3://, gs://, hf://, pvc://CLAIM/FOLDER" $at $model.bundle.storageUri) -}}
{{- end -}}
{{- include "vision-models.checkVariant" (dict "at" $at "model" $model) -}}
{{- include "vision-models.checkScaling" (dict "at" (printf "%s.autoscaling" $at) "scaling" $model.autoscaling "resources" $model.resources) -}}
{{- include "vision-models.checkServer" (dict "at" $at "model" $model) -}}
{{- include "vision-models.checkPod" (dict "at" $at "model" $model) -}}
{{- end }}

{{- define "vision-models.checkVariant" -}}
{{- $at := .at -}}{{- $gpu := .model.gpu -}}{{- $variant := .model.variant -}}
{{- if gt (int $gpu.count) 1 -}}
{{- fail (printf "%s.gpu.count: %d, but a pod uses one GPU; scale out with replicas instead" $at (int $gpu.count)) -}}
{{- end -}}
{{- if and (eq (int $gpu.count) 1) (has $variant.engine (list "openvino" "onnxruntime")) -}}
{{- fail (printf "%s.variant.engine: %s runs on CPUs; with gpu.count: 1 it is torch, or auto" $at $variant.engine) -}}
{{- end -}}
{{- if and (eq $variant.precision "int8") (or (eq (int $gpu.count) 1) (eq $variant.engine "torch")) -}}
{{- fail (printf "%s.variant.precision: int8 runs on CPUs, by openvino; a GPU has float16, bfloat16 or float32, by torch" $at) -}}
{{- end -}}
{{- if and (has $variant.precision (list "float16" "bfloat16")) (has $variant.engine (list "openvino" "onnxruntime")) -}}
{{- fail (printf "%s.variant.precision: %s needs engine torch, not %s" $at $variant.precision $variant.engine) -}}
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
{{- if and (eq (int $scaling.min) 0) (eq $scaling.class "keda") -}}
{{- $wakes := false -}}
{{- range $scaling.keda.triggers -}}
{{- if not (or (has .type (list "cpu" "memory")) (contains "vision_" (toJson .))) -}}{{- $wakes = true -}}{{- end -}}
{{- end -}}
{{- if not $wakes -}}
{{- fail (printf "%s.keda.triggers: none of them would wake a model without pods: CPU, memory and vision_… come from its own pods; use min: 1, or what something else publishes" $at) -}}
{{- end -}}
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
{{- $at := .at -}}{{- $server := .model.server -}}
{{- $owned := list "--model" "--models" "--device" "--precision" "--engine" "--host" "--http-port" "--grpc-port" "--metrics-port" "--timeout-seconds" "--body-timeout-seconds" "--drain-delay-seconds" "--max-body-bytes" "--max-batch" "--max-images" "--queue-size" "--no-access-log" -}}
{{- range $server.args -}}
{{- $option := first (splitList "=" .) -}}
{{- if has $option $owned -}}
{{- fail (printf "%s.server.args: %s is the chart's; use the value that stands for it (server, variant, gpu)" $at $option) -}}
{{- end -}}
{{- end -}}
{{- if gt (int $server.maxImages) (int $server.queueSize) -}}
{{- fail (printf "%s.server.maxImages: %d is more than queueSize, %d: a request of that many images could never be admitted" $at (int $server.maxImages) (int $server.queueSize)) -}}
{{- end -}}
{{- $grace := int .model.gracePeriodSeconds -}}{{- $least := int (include "vision-models.leastGrace" .model) -}}
{{- if and $grace (lt $grace $least) -}}
{{- fail (printf "%s.gracePeriodSeconds: %d is less than server.drainDelaySeconds + bodyTimeoutSeconds + timeoutSeconds + 5 = %d, so requests would be lost; leave it at 0, or shorten those" $at $grace $least) -}}
{{- end -}}
{{- end }}

{{- define "vision-models.checkPod" -}}
{{- $at := .at -}}{{- $model := .model -}}{{- $names := list -}}
{{- $strategy := get $model.strategy "rollingUpdate" | default dict -}}
{{- if and (hasKey $strategy "maxSurge") (hasKey $strategy "maxUnavailable") (eq (toString $strategy.maxSurge) "0") (eq (toString $strategy.maxUnavailable) "0") -}}
{{- fail (printf "%s.strategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so nothing could ever be replaced" $at) -}}
{{- end -}}
{{- include "vision-models.checkBudget" (dict "at" $at "budget" $model.podDisruptionBudget) -}}
{{- if eq (int $model.gpu.count) 0 -}}
{{- range $kind := list "requests" "limits" -}}
{{- range $name, $_ := get $model.resources $kind -}}
{{- if hasPrefix "nvidia.com/" $name -}}
{{- fail (printf "%s.resources.%s: %s is asked for by gpu.count and gpu.resourceName" $at $kind $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "vision-models.checkAmounts" (dict "at" $at "resources" (include "vision-models.resources" .model | fromYaml)) -}}
{{- range .model.env -}}
{{- if eq .name "STORAGE_URI" -}}
{{- fail (printf "%s.env: STORAGE_URI is the chart's; use bundle.storageUri" $at) -}}
{{- end -}}
{{- if eq .name "PYTHONPATH" -}}
{{- fail (printf "%s.env: PYTHONPATH is refused by KServe; put what is needed into an image" $at) -}}
{{- end -}}
{{- if has .name $names -}}
{{- fail (printf "%s.env: %s is there twice" $at .name) -}}
{{- end -}}
{{- if and (hasKey . "value") (hasKey . "valueFrom") -}}
{{- fail (printf "%s.env: %s has value and valueFrom; leave one out" $at .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- if and (eq (get .model.strategy "type") "Recreate") (hasKey .model.strategy "rollingUpdate") -}}
{{- fail (printf "%s.strategy: Recreate takes no rollingUpdate; leave one of them out (is it in defaults.strategy?)" $at) -}}
{{- end -}}
{{- include "vision-models.checkLabels" (dict "at" $at "labels" .model.labels) -}}
{{- range $name, $_ := .model.annotations -}}
{{- if eq $name "serving.kserve.io/deploymentMode" -}}
{{- fail (printf "%s.annotations: %s is the chart's: Knative mode is not supported, models run in Standard mode" $at $name) -}}
{{- end -}}
{{- if eq $name "serving.kserve.io/autoscalerClass" -}}
{{- fail (printf "%s.annotations: %s is the chart's; use autoscaling.class" $at $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "vision-models.checkAmounts" -}}
{{- range $name, $limit := .resources.limits -}}
{{- $request := get $.resources.requests $name | default "0" -}}
{{- if gt (include "vision-models.number" $request | float64) (include "vision-models.number" $limit | float64) -}}
{{- fail (printf "%s.resources.requests.%s: %s is more than limits.%s, %s" $.at $name $request $name $limit) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "vision-models.checkBudget" -}}
{{- if and .budget.enabled (eq (toString .budget.maxUnavailable) "0") -}}
{{- fail (printf "%s.podDisruptionBudget.maxUnavailable: is 0, so no node with a pod of it could ever be drained" .at) -}}
{{- end -}}
{{- end }}

{{- define "vision-models.checkLabels" -}}
{{- range $name, $_ := .labels -}}
{{- if has $name (list "app" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/part-of" "app.kubernetes.io/managed-by" "app.kubernetes.io/component") -}}
{{- fail (printf "%s.labels: %s is the chart's or KServe's; pods are found by it" $.at $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "vision-models.checkFrontend" -}}
{{- $release := .root.Release.Name -}}{{- $name := printf "%s-frontend" $release -}}{{- $frontend := .root.Values.frontend -}}
{{- if not (regexMatch "^[a-z][-a-z0-9]*$" $release) -}}
{{- fail (printf "frontend.enabled: its Service would be called %s, and a Service's name begins with a letter and has no dot; give the release another name, or set it to false" $name) -}}
{{- end -}}
{{- if hasKey .models $name -}}
{{- fail (printf "models.%s: is also what the frontend's objects are called; give the model or the release another name, or set frontend.enabled: false" $name) -}}
{{- end -}}
{{- $grace := int $frontend.gracePeriodSeconds -}}{{- $least := int (include "vision-models.leastGrace" $frontend) -}}
{{- if and $grace (lt $grace $least) -}}
{{- fail (printf "frontend.gracePeriodSeconds: %d is less than server.drainDelaySeconds + bodyTimeoutSeconds + timeoutSeconds + 5 = %d, so requests would be lost; leave it at 0, or shorten those" $grace $least) -}}
{{- end -}}
{{- include "vision-models.checkAmounts" (dict "at" "frontend" "resources" (include "vision-models.frontendResources" .root | fromYaml)) -}}
{{- include "vision-models.checkBudget" (dict "at" "frontend" "budget" $frontend.podDisruptionBudget) -}}
{{- include "vision-models.checkLabels" (dict "at" "frontend" "labels" $frontend.labels) -}}
{{- end }}

{{/* What no model is wrong about alone. */}}
{{- define "vision-models.checkTogether" -}}
{{- $routes := .values.routes -}}{{- $models := .models -}}{{- $grpcHost := $routes.grpc.host -}}
{{- range $name, $_ := $models -}}
{{- $grpc := printf "%s-grpc" $name -}}
{{- if hasKey $models $grpc -}}
{{- fail (printf "models.%s: is also what the Service and the route for gRPC of models.%s are called; give one of them another name" $grpc $name) -}}
{{- end -}}
{{- if and $routes.host (eq (replace "MODEL" $name $grpcHost) $routes.host) -}}
{{- fail (printf "routes.grpc.host: %q makes %s of models.%s, which is routes.host already" $grpcHost $routes.host $name) -}}
{{- end -}}
{{- end -}}
{{- if and $grpcHost (not (contains "MODEL" $grpcHost)) -}}
{{- fail (printf "routes.grpc.host: %q does not say MODEL; each model needs a host name of its own, such as MODEL.grpc.example.com" $grpcHost) -}}
{{- end -}}
{{- if and (or $routes.public .values.frontend.enabled) (eq $routes.class "gateway") -}}
{{- if not $routes.gateway.parentRefs -}}
{{- fail "routes.gateway.parentRefs: is empty; name the Gateway that takes the routes, or set routes.class: ingress" -}}
{{- end -}}
{{- if $routes.tls.secretName -}}
{{- fail "routes.tls.secretName: is an Ingress's; with routes.class: gateway the certificate is the Gateway's, in its listener" -}}
{{- end -}}
{{- if and $routes.public $routes.grpc.enabled $grpcHost (not $routes.host) -}}
{{- fail "routes.host: is empty, which is every host, and a Gateway takes no GRPCRoute on a host of an HTTPRoute; name one, or set routes.grpc.enabled: false" -}}
{{- end -}}
{{- end -}}
{{- if not (or .values.serviceAccount.create .values.serviceAccount.name) -}}
{{- fail "serviceAccount.name: is empty and create is false; name the account that the models run as" -}}
{{- end -}}
{{- end }}
