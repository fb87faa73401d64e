// Command cache answers lists from a controller-runtime cache as platforms built on one do: every request lists all
// pods (each is copied), filters them one by one, sorts what is left and cuts the page out of it.
package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"quarterdeck/bench/peers/process"
)

// row is what a page shows of a pod.
type row struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Phase     string   `json:"phase"`
	Ready     string   `json:"ready"`
	Restarts  int      `json:"restarts"`
	Node      string   `json:"node"`
	Address   string   `json:"address"`
	Images    []string `json:"images"`
	Created   int64    `json:"created"`
}

type page struct {
	Total int   `json:"total"`
	Rows  []row `json:"rows"`
}

func main() {
	began := time.Now()
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		process.Fail(err)
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	pods, err := cache.New(config, cache.Options{Scheme: scheme.Scheme})
	if err != nil {
		process.Fail(err)
	}
	ctx := context.Background()
	go func() {
		if err := pods.Start(ctx); err != nil {
			process.Fail(err)
		}
	}()
	if _, err := pods.GetInformer(ctx, &corev1.Pod{}); err != nil {
		process.Fail(err)
	}
	if !pods.WaitForCacheSync(ctx) {
		process.Fail(errors.New("the cache did not synchronise"))
	}
	count := func() (int, int64) {
		var list corev1.PodList
		if err := pods.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
			return 0, 0
		}
		return len(list.Items), 0
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pods", func(writer http.ResponseWriter, request *http.Request) {
		answer, err := list(ctx, pods, request.URL.Query())
		if err != nil {
			http.Error(writer, err.Error(), http.StatusInternalServerError)
			return
		}
		process.Answer(writer, answer)
	})
	process.Serve(mux, began, count)
}

// list takes namespaces (with commas; absent: all), phase, label (key=value), contains (part of the name), sort (name,
// created, restarts, node; - before it descends), offset and limit.
func list(ctx context.Context, pods client.Reader, query url.Values) (page, error) {
	var all corev1.PodList
	options := []client.ListOption{}
	if label := query.Get("label"); label != "" {
		selector, err := labels.Parse(label)
		if err != nil {
			return page{}, err
		}
		options = append(options, client.MatchingLabelsSelector{Selector: selector})
	}
	if err := pods.List(ctx, &all, options...); err != nil {
		return page{}, err
	}
	found := filter(all.Items, query)
	field, descending := strings.CutPrefix(query.Get("sort"), "-")
	sort.Slice(found, func(a, b int) bool { return before(&found[a], &found[b], field, descending) })
	offset, _ := strconv.Atoi(query.Get("offset"))
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 50
	}
	answer := page{Total: len(found), Rows: []row{}}
	for at := offset; at < len(found) && at < offset+limit; at++ {
		answer.Rows = append(answer.Rows, rowOf(&found[at]))
	}
	return answer, nil
}

func filter(all []corev1.Pod, query url.Values) []corev1.Pod {
	var allowed map[string]bool
	if names := query.Get("namespaces"); names != "" {
		allowed = map[string]bool{}
		for _, name := range strings.Split(names, ",") {
			allowed[name] = true
		}
	}
	phase, contains := query.Get("phase"), query.Get("contains")
	found := []corev1.Pod{}
	for _, pod := range all {
		if allowed != nil && !allowed[pod.Namespace] {
			continue
		}
		if phase != "" && string(pod.Status.Phase) != phase {
			continue
		}
		if contains != "" && !strings.Contains(pod.Name, contains) {
			continue
		}
		found = append(found, pod)
	}
	return found
}

func before(a, b *corev1.Pod, field string, descending bool) bool {
	difference := 0
	switch field {
	case "name":
		difference = strings.Compare(a.Name, b.Name)
	case "node":
		if (a.Spec.NodeName == "") != (b.Spec.NodeName == "") {
			return b.Spec.NodeName == ""
		}
		difference = strings.Compare(a.Spec.NodeName, b.Spec.NodeName)
	case "created":
		difference = cmp.Compare(a.CreationTimestamp.Unix(), b.CreationTimestamp.Unix())
	case "restarts":
		difference = cmp.Compare(restarts(a), restarts(b))
	}
	if difference != 0 {
		return (difference < 0) != descending
	}
	if a.Namespace != b.Namespace {
		return a.Namespace < b.Namespace
	}
	return a.Name < b.Name
}

func restarts(pod *corev1.Pod) int {
	sum := 0
	for _, status := range pod.Status.ContainerStatuses {
		sum += int(status.RestartCount)
	}
	return sum
}

func rowOf(pod *corev1.Pod) row {
	ready := 0
	for _, status := range pod.Status.ContainerStatuses {
		if status.Ready {
			ready++
		}
	}
	images := []string{}
	for _, container := range pod.Spec.Containers {
		images = append(images, container.Image)
	}
	return row{
		Namespace: pod.Namespace,
		Name:      pod.Name,
		Phase:     string(pod.Status.Phase),
		Ready:     strconv.Itoa(ready) + "/" + strconv.Itoa(len(pod.Spec.Containers)),
		Restarts:  restarts(pod),
		Node:      pod.Spec.NodeName,
		Address:   pod.Status.PodIP,
		Images:    images,
		Created:   pod.CreationTimestamp.Unix(),
	}
}
