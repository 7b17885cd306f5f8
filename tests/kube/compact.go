package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// compact makes the etcd of a rig that is up forget all versions but the present ones, so that a watch that wants to go on
// from an older one gets 410 Gone.
func compact(args []string) error {
	f := flag.NewFlagSet("compact", flag.ExitOnError)
	dir := f.String("dir", "", "folder of the rig's files")
	_ = f.Parse(args)
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{"unix://" + filepath.Join(*dir, "etcd.sock")}, DialTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := c.Get(ctx, "compact-to")
	if err != nil {
		return err
	}
	if _, err := c.Compact(ctx, r.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	fmt.Println(r.Header.Revision)
	return nil
}
