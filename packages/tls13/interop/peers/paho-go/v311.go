package main

import (
	"fmt"
	"log"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

type client311 struct {
	client mqtt.Client
}

func connect311() *client311 {
	options := mqtt.NewClientOptions().
		AddBroker(fmt.Sprintf("ssl://localhost:%d", *port)).
		SetTLSConfig(tlsConfig()).
		SetProtocolVersion(4).
		SetClientID(*id).
		SetCleanSession(!*resume).
		SetAutoReconnect(false).
		SetAutoAckDisabled(*hold).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { log.Fatal("the connection ended: ", err) }).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
			told := message{Topic: m.Topic(), Payload: string(m.Payload()), Qos: m.Qos(), Retain: m.Retained()}
			arrivals.take(told, m.Ack)
		})
	if *willTopic != "" {
		options.SetWill(*willTopic, *willPayload, byte(*willQos), false)
	}
	c := &client311{mqtt.NewClient(options)}
	token := c.client.Connect().(*mqtt.ConnectToken)
	token.Wait()
	must(token.Error())
	connected(token.SessionPresent())
	return c
}

func (c *client311) subscribe(filter string, qos byte) {
	token := c.client.Subscribe(filter, qos, nil).(*mqtt.SubscribeToken)
	token.Wait()
	must(token.Error())
	if granted := token.Result()[filter]; granted > 2 {
		log.Fatalf("SUBACK 0x%02x", granted)
	}
}

func (c *client311) publish(payloads []string) {
	tokens := []mqtt.Token{}
	for _, payload := range payloads {
		tokens = append(tokens, c.client.Publish(*publish, byte(*qos), *retain, payload))
	}
	for _, token := range tokens {
		token.Wait()
		must(token.Error())
	}
}

func (c *client311) disconnect() {
	c.client.Disconnect(250)
}
