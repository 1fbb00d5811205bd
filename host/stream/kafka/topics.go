package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"sandbar/host/stream"
)

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
	text := func(s string) *string { return &s }
	made := false
	for _, name := range append(stream.Names(), Changelog) {
		config := map[string]*string{"max.message.bytes": text(strconv.Itoa(opt.largest(opt.topic(name)))), "cleanup.policy": text("delete"), "retention.ms": text("-1"), "retention.bytes": text("-1")}
		if name == Changelog {
			config["cleanup.policy"] = text("compact")
		}
		answer, err := admin.CreateTopic(ctx, partitions, replicas, config, opt.topic(name))
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

// topics are the names of all topics.
func (o *Options) topics() (names []string) {
	for _, name := range append(stream.Names(), Changelog) {
		names = append(names, o.topic(name))
	}
	return names
}

// checkTopics refuses topics that would lose something, and takes the identity of the store from them.
func (s *Store) checkTopics(ctx context.Context) error {
	topics := s.opt.topics()
	meta, err := s.admin.Metadata(ctx, topics...)
	if err != nil {
		return fmt.Errorf("ask for the topics: %w", err)
	}
	partitions := len(meta.Topics[topics[0]].Partitions)
	for _, topic := range topics {
		t := meta.Topics[topic]
		if t.Err != nil {
			return fmt.Errorf("topic %s: %w", topic, t.Err)
		}
		if len(t.Partitions) != partitions {
			return fmt.Errorf("topic %s has %d partitions and %s has %d; they must have the same", topic, len(t.Partitions), topics[0], partitions)
		}
		if int(s.opt.Partition) >= len(t.Partitions) {
			return fmt.Errorf("topic %s has %d partitions, and none of number %d", topic, len(t.Partitions), s.opt.Partition)
		}
	}
	s.cluster = stream.ID(meta.Topics[s.opt.topic(Changelog)].ID)
	s.id = s.cluster
	s.id[14] ^= byte(s.opt.Partition >> 8)
	s.id[15] ^= byte(s.opt.Partition)
	if s.id == (stream.ID{}) {
		return errors.New("the brokers give topics no identity; they must be of Kafka 2.8 or later")
	}
	return s.checkConfigs(ctx, topics)
}

// checkConfigs looks at the settings that matter. Brokers that do not tell them are believed.
func (s *Store) checkConfigs(ctx context.Context, topics []string) error {
	configs, err := s.admin.DescribeTopicConfigs(ctx, topics...)
	if err != nil {
		s.opt.Logger.Warn("the settings of the topics cannot be checked", "error", err)
		return nil
	}
	for _, c := range configs {
		if c.Err != nil {
			s.opt.Logger.Warn("the settings of a topic cannot be checked", "topic", c.Name, "error", c.Err)
			continue
		}
		set := map[string]string{}
		for _, kv := range c.Configs {
			set[kv.Key] = kv.MaybeValue()
		}
		policy := "delete"
		if c.Name == s.opt.topic(Changelog) {
			policy = "compact"
		}
		if got, ok := set["cleanup.policy"]; ok && got != policy {
			return fmt.Errorf("topic %s has cleanup.policy %q; it must be %q", c.Name, got, policy)
		}
		if most, err := strconv.Atoi(set["max.message.bytes"]); err == nil && most < s.opt.largest(c.Name) {
			return fmt.Errorf("topic %s has max.message.bytes %d; it must be at least %d for streams.max_message", c.Name, most, s.opt.largest(c.Name))
		}
	}
	return nil
}
