package main

import "testing"

// Whom a resident asks follows from the configuration, the flags and where it runs.
func TestWhereServeAsks(t *testing.T) {
	pod := map[string]string{"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "6443"}
	six := map[string]string{"KUBERNETES_SERVICE_HOST": "fd00::1"}
	for _, test := range []struct {
		source, flag string
		env          map[string]string
		pods, api    string
	}{
		{"none", "", pod, "", "https://10.96.0.1:6443"},
		{"file", "", nil, "", ""},
		{"kubelet", "", nil, "https://node-1:10250/pods", ""},
		{"apiserver", "", pod, "https://10.96.0.1:6443/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0", "https://10.96.0.1:6443"},
		{"apiserver", "", six, "https://[fd00::1]:443/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0", "https://[fd00::1]:443"},
		{"none", "https://api:6443/api/v1/pods?fieldSelector=spec.nodeName%3Dx", nil, "", "https://api:6443"},
		{"none", "https://node-1:10250/pods", pod, "", "https://10.96.0.1:6443"},
		{"none", "http://api/api/v1/pods", nil, "", ""}, // nobody gets a token without https
	} {
		getenv := func(name string) string { return test.env[name] }
		o := &serveOptions{}
		o.clients.kubelet.pods = test.flag
		if got := podsOf(test.source, "node-1", getenv); got != test.pods {
			t.Errorf("%s: pods of %q, want %q", test.source, got, test.pods)
		}
		if got := o.apiserver(getenv); got != test.api {
			t.Errorf("%s, %s: events to %q, want %q", test.source, test.flag, got, test.api)
		}
	}
}
