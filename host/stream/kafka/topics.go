package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"sandbar/host/stream"
)

// tables are the topics of one partition that all hosts share; see Table.
func tables() []string { return []string{Control, Hosts, Spilled} }

// Create makes the topics that do not exist, with so many partitions and replicas, and waits until the brokers serve them.
func Create(ctx context.Context, opt Options, partitions int32, replicas int16) error {
	opt.defaults()
	client, err := opt.client()
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, opt.Timeout)
	defer cancel()
	admin := kadm.NewClient(client)
	made := false
	for _, name := range append(append(stream.Names(), Changelog), tables()...) {
		n := partitions
		if slices.Contains(tables(), name) {
			n = 1
		}
		answer, err := admin.CreateTopic(ctx, n, replicas, opt.settings(name, replicas), opt.topic(name))
		if err == nil {
			err = answer.Err
		}
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", opt.topic(name), err)
		}
		made = made || err == nil
	}
	if !made {
		return nil
	}
	return opt.served(ctx, admin)
}

// settings are those of a topic that is created. With three replicas or more a broker may be lost without losing what was
// acknowledged, and without a halt.
func (o *Options) settings(name string, replicas int16) map[string]*string {
	text := func(s string) *string { return &s }
	all := map[string]*string{"max.message.bytes": text(strconv.Itoa(o.largest(o.topic(name)))), "cleanup.policy": text(o.policy(name))}
	if replicas > 2 {
		all["min.insync.replicas"] = text("2")
	}
	switch name {
	case Changelog, Control, Spilled:
	case Hosts: // much is written, and little of it matters for long
		all["segment.ms"], all["message.timestamp.type"] = text("60000"), text("LogAppendTime")
	default:
		all["retention.ms"], all["retention.bytes"] = text("-1"), text("-1")
	}
	return all
}

func (o *Options) policy(name string) string {
	if slices.Contains(stream.Names(), name) {
		return "delete"
	}
	return "compact"
}

// served waits until every partition has a leader: that a topic was created spreads among brokers after the answer.
func (o *Options) served(ctx context.Context, admin *kadm.Client) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		meta, err := admin.Metadata(ctx, o.topics()...)
		ready := err == nil
		if ready {
			for _, t := range meta.Topics {
				ready = ready && t.Err == nil && len(t.Partitions) > 0
				for _, p := range t.Partitions {
					ready = ready && p.Err == nil && p.Leader >= 0
				}
			}
		}
		if ready {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the topics that were created: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// topics are the names of all topics, those of partitions first.
func (o *Options) topics() (names []string) {
	for _, name := range append(append(stream.Names(), Changelog), tables()...) {
		names = append(names, o.topic(name))
	}
	return names
}

// checkTopics refuses topics that would lose something. It tells their identity, and how many partitions they have.
func (c *Cluster) checkTopics(ctx context.Context) (id stream.ID, partitions int, err error) {
	topics := c.opt.topics()
	meta, err := c.admin.Metadata(ctx, topics...)
	if err != nil {
		return id, 0, fmt.Errorf("ask for the topics: %w", err)
	}
	partitions = len(meta.Topics[topics[0]].Partitions)
	for _, topic := range topics {
		t := meta.Topics[topic]
		if t.Err != nil {
			return id, 0, fmt.Errorf("topic %s: %w", topic, t.Err)
		}
		if slices.Contains(tables(), strings.TrimPrefix(topic, c.opt.topic(""))) {
			if len(t.Partitions) != 1 {
				return id, 0, fmt.Errorf("topic %s has %d partitions; it must have one", topic, len(t.Partitions))
			}
			continue
		}
		if len(t.Partitions) != partitions {
			return id, 0, fmt.Errorf("topic %s has %d partitions and %s has %d; they must have the same", topic, len(t.Partitions), topics[0], partitions)
		}
	}
	id = stream.ID(meta.Topics[c.opt.topic(Changelog)].ID)
	if id == (stream.ID{}) {
		return id, 0, errors.New("the brokers give topics no identity; they must be of Kafka 2.8 or later")
	}
	return id, partitions, c.checkConfigs(ctx, topics)
}

// checkConfigs looks at the settings that matter. Brokers that do not tell them are believed.
func (c *Cluster) checkConfigs(ctx context.Context, topics []string) error {
	configs, err := c.admin.DescribeTopicConfigs(ctx, topics...)
	if err != nil {
		c.opt.Logger.Warn("the settings of the topics cannot be checked", "error", err)
		return nil
	}
	for _, t := range configs {
		if t.Err != nil {
			c.opt.Logger.Warn("the settings of a topic cannot be checked", "topic", t.Name, "error", t.Err)
			continue
		}
		set := map[string]string{}
		for _, kv := range t.Configs {
			set[kv.Key] = kv.MaybeValue()
		}
		policy := c.opt.policy(strings.TrimPrefix(t.Name, c.opt.topic("")))
		if got, ok := set["cleanup.policy"]; ok && got != policy {
			return fmt.Errorf("topic %s has cleanup.policy %q; it must be %q", t.Name, got, policy)
		}
		if most, err := strconv.Atoi(set["max.message.bytes"]); err == nil && most < c.opt.largest(t.Name) {
			return fmt.Errorf("topic %s has max.message.bytes %d; it must be at least %d for streams.max_message", t.Name, most, c.opt.largest(t.Name))
		}
	}
	return nil
}
