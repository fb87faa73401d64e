// Command informer keeps all pods of a cluster as client-go keeps them: the floor of everything built on informers.
package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"quarterdeck/bench/peers/process"
)

func main() {
	began := time.Now()
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		process.Fail(err)
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		process.Fail(err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Pods().Informer()
	var events atomic.Int64
	count := func(any) { events.Add(1) }
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: count, DeleteFunc: count, UpdateFunc: func(_, _ any) { events.Add(1) },
	})
	if err != nil {
		process.Fail(err)
	}
	factory.Start(context.Background().Done())
	if !cache.WaitForCacheSync(context.Background().Done(), informer.HasSynced) {
		process.Fail(errors.New("the informer did not synchronise"))
	}
	process.Serve(http.NewServeMux(), began, func() (int, int64) {
		return len(informer.GetStore().ListKeys()), events.Load()
	})
}
