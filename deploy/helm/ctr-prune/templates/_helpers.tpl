{{- define "ctr-prune.name" -}}
{{- if contains "ctr-prune" .Release.Name -}}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{- else -}}{{ printf "%s-ctr-prune" .Release.Name | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "ctr-prune.selector" -}}
app.kubernetes.io/name: ctr-prune
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ctr-prune.labels" -}}
{{ include "ctr-prune.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "ctr-prune.account" -}}
{{- .Values.serviceAccount.name | default (include "ctr-prune.name" .) -}}
{{- end -}}

{{- define "ctr-prune.image" -}}
{{- $i := .Values.image -}}
{{- if $i.digest -}}{{ $i.repository }}@{{ $i.digest }}{{- else -}}{{ $i.repository }}:{{ $i.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{- /* Where the socket and the store of a distribution are. */ -}}
{{- define "ctr-prune.places" -}}
standard: {socket: /run/containerd/containerd.sock, root: /var/lib/containerd}
k3s: {socket: /run/k3s/containerd/containerd.sock, root: /var/lib/rancher/k3s/agent/containerd}
rke2: {socket: /run/k3s/containerd/containerd.sock, root: /var/lib/rancher/rke2/agent/containerd}
k0s: {socket: /run/k0s/containerd.sock, root: /var/lib/k0s/containerd}
microk8s: {socket: /var/snap/microk8s/common/run/containerd.sock, root: /var/snap/microk8s/common/var/lib/containerd}
{{- end -}}

{{- define "ctr-prune.socket" -}}
{{- $place := get (include "ctr-prune.places" . | fromYaml) .Values.distribution -}}
{{- .Values.containerd.socket | default $place.socket -}}
{{- end -}}

{{- define "ctr-prune.root" -}}
{{- $place := get (include "ctr-prune.places" . | fromYaml) .Values.distribution -}}
{{- .Values.containerd.root | default $place.root -}}
{{- end -}}

{{- /* How a command finds the state, where it is not where it looks. */ -}}
{{- define "ctr-prune.state" -}}
{{- if ne .Values.state.hostPath "/var/lib/ctr-prune" }} --state {{ .Values.state.hostPath }}{{ end -}}
{{- end -}}

{{- /* Whether the pods need to prove who they are to anybody. */ -}}
{{- define "ctr-prune.token" -}}
{{- if or (has .Values.pods.source (list "apiserver" "kubelet")) .Values.kubeletCheck .Values.events -}}true{{- end -}}
{{- end -}}

{{- /* The policy file: the value config, and what other values say. */ -}}
{{- define "ctr-prune.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $serve := get $config "serve" | default dict -}}
{{- range $key, $value := dict "listen" "metrics.port" "state" "state.hostPath" "pods" "pods.source" "events" "events" "kubeletCheck" "kubeletCheck" -}}
{{- if hasKey $serve $key -}}{{- fail (printf "config.serve.%s is set by the chart: use the value %s" $key $value) -}}{{- end -}}
{{- end -}}
{{- $_ := set $serve "listen" (printf "0.0.0.0:%d" (int .Values.metrics.port)) -}}
{{- $_ := set $serve "state" .Values.state.hostPath -}}
{{- $pods := dict "source" .Values.pods.source -}}
{{- with .Values.pods.every -}}{{- $_ := set $pods "every" . -}}{{- end -}}
{{- $_ := set $serve "pods" $pods -}}
{{- if .Values.events -}}{{- $_ := set $serve "events" true -}}{{- end -}}
{{- if .Values.kubeletCheck -}}{{- $_ := set $serve "kubeletCheck" true -}}{{- end -}}
{{- $_ := set $config "serve" $serve -}}
{{- if .Values.protectConfigMaps -}}
{{- $protect := get $config "protect" | default dict -}}
{{- $files := get $protect "files" | default list -}}
{{- range .Values.protectConfigMaps -}}{{- $files = append $files (printf "/etc/ctr-prune/protect.d/%s/*.txt" .) -}}{{- end -}}
{{- $_ := set $protect "files" $files -}}
{{- $_ := set $config "protect" $protect -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* 90 % of a quantity of memory, in bytes. */ -}}
{{- define "ctr-prune.memory" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- $number := regexFind "^[0-9]+" (toString .) -}}
{{- $unit := regexReplaceAll "^[0-9]+" (toString .) "" -}}
{{- if not (hasKey $units $unit) -}}{{- fail (printf "resources.limits.memory %q: give a whole number with Ki, Mi, Gi, k, M, G or nothing" (toString .)) -}}{{- end -}}
{{- div (mul (int64 $number) (get $units $unit) 9) 10 -}}
{{- end -}}
