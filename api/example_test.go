package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/api"
	"mlids/model/registry"
	"mlids/models"
)

// Serve the built-in models, ask about a connection, stop.
func Example() {
	builtIn, err := models.Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	set := &registry.Registry{}
	if err := set.Add(registry.Embedded, builtIn...); err != nil {
		fmt.Println(err)
		return
	}
	metrics := prometheus.NewRegistry()
	server, err := api.New(api.Config{Listen: "127.0.0.1:0"}, api.Deps{
		Log: slog.New(slog.DiscardHandler), Register: metrics, Gather: metrics, Models: set,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	<-server.Listening()

	url := "http://" + server.Addr().String()
	res, err := http.Post(url+"/api/predictions", "application/json; format=pandas-split", strings.NewReader(`{"columns":[],"data":[]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	fmt.Println(res.Status, string(answer), err)

	stop()
	fmt.Println(<-done)
	// Output:
	// 200 OK []
	//  <nil>
	// <nil>
}
