package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

type client5 struct {
	client  *paho.Client
	leaving atomic.Bool
}

func connect5() *client5 {
	conn, err := tls.Dial("tcp", fmt.Sprintf("localhost:%d", *port), tlsConfig())
	must(err)
	c := &client5{}
	lost := func(err error) {
		if !c.leaving.Load() {
			log.Fatal("the connection ended: ", err)
		}
	}
	// It leaves Topic Aliases to those who use it.
	aliases := map[uint16]string{}
	c.client = paho.NewClient(paho.ClientConfig{
		ClientID:                   *id,
		Conn:                       packets.NewThreadSafeConn(conn),
		PacketTimeout:              time.Minute,
		EnableManualAcknowledgment: *hold,
		OnClientError:              lost,
		OnServerDisconnect: func(d *paho.Disconnect) {
			lost(fmt.Errorf("DISCONNECT 0x%02x", d.ReasonCode))
		},
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(received paho.PublishReceived) (bool, error) {
			p := received.Packet
			aliased := p.Topic == ""
			told := message{Topic: p.Topic, Payload: string(p.Payload), Qos: p.QoS, Retain: p.Retain, Aliased: &aliased}
			if p.Properties != nil {
				told.Expiry = p.Properties.MessageExpiry
				if number := p.Properties.TopicAlias; number != nil {
					if aliased {
						told.Topic = aliases[*number]
					} else {
						aliases[*number] = p.Topic
					}
				}
			}
			arrivals.take(told, func() {
				if p.QoS > 0 {
					must(c.client.Ack(p))
				}
			})
			return true, nil
		}},
	})
	connect := &paho.Connect{
		ClientID:   *id,
		CleanStart: !*resume,
		KeepAlive:  60,
		Properties: &paho.ConnectProperties{
			SessionExpiryInterval: given32(*expiry),
			ReceiveMaximum:        given16(*receiveMaximum),
			MaximumPacketSize:     given32(*maximumPacketSize),
			TopicAliasMaximum:     given16(*topicAliasMaximum),
		},
	}
	if *willTopic != "" {
		connect.WillMessage = &paho.WillMessage{Topic: *willTopic, Payload: []byte(*willPayload), QoS: byte(*willQos)}
		connect.WillProperties = &paho.WillProperties{WillDelayInterval: given32(*willDelay)}
	}
	connack, err := c.client.Connect(context.Background(), connect)
	must(err)
	connected(connack.SessionPresent)
	return c
}

func (c *client5) subscribe(filter string, qos byte) {
	_, err := c.client.Subscribe(context.Background(), &paho.Subscribe{
		Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: qos}},
	})
	must(err)
}

// The acknowledgement of the last is waited for, which comes after those of the others.
func (c *client5) publish(payloads []string) {
	for n, payload := range payloads {
		p := &paho.Publish{
			Topic: *publish, QoS: byte(*qos), Retain: *retain, Payload: []byte(payload),
			Properties: &paho.PublishProperties{MessageExpiry: given32(*messageExpiry)},
		}
		if *alias {
			p.Properties.TopicAlias = given16(1)
			if n > 0 {
				p.Topic = ""
			}
		}
		options := paho.PublishOptions{Method: paho.PublishMethod_AsyncSend}
		if n == len(payloads)-1 {
			options.Method = paho.PublishMethod_Blocking
		}
		_, err := c.client.PublishWithOptions(context.Background(), p, options)
		must(err)
	}
}

func (c *client5) disconnect() {
	c.leaving.Store(true)
	must(c.client.Disconnect(&paho.Disconnect{}))
}

// nil where nothing is to be said.
func given16(value uint) *uint16 {
	if value == 0 {
		return nil
	}
	short := uint16(value)
	return &short
}

func given32(value uint) *uint32 {
	if value == 0 {
		return nil
	}
	long := uint32(value)
	return &long
}
