// Go's two clients of Paho as peers: paho.golang for MQTT 5.0, paho.mqtt.golang for 3.1.1. It subscribes and prints what
// comes, or publishes and ends. Words and lines: peers/paho.ts.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"
	"time"
)

// payloads is an option that may be given again and again.
type payloads []string

func (p *payloads) String() string { return fmt.Sprint(*p) }

func (p *payloads) Set(value string) error {
	*p = append(*p, value)
	return nil
}

var (
	port              = flag.Int("port", 0, "")
	ca                = flag.String("ca", "", "")
	cert              = flag.String("cert", "", "")
	key               = flag.String("key", "", "")
	version           = flag.String("mqtt", "", "5.0 or 3.1.1")
	id                = flag.String("id", "", "")
	resume            = flag.Bool("resume", false, "")
	expiry            = flag.Uint("expiry", 0, "seconds")
	receiveMaximum    = flag.Uint("receive-maximum", 0, "")
	maximumPacketSize = flag.Uint("maximum-packet-size", 0, "")
	topicAliasMaximum = flag.Uint("topic-alias-maximum", 0, "")
	willTopic         = flag.String("will-topic", "", "")
	willPayload       = flag.String("will-payload", "", "")
	willQos           = flag.Uint("will-qos", 0, "")
	willDelay         = flag.Uint("will-delay", 0, "seconds")
	subscribe         = flag.String("subscribe", "", "")
	publish           = flag.String("publish", "", "")
	qos               = flag.Uint("qos", 0, "")
	hold              = flag.Bool("hold", false, "")
	retain            = flag.Bool("retain", false, "")
	messageExpiry     = flag.Uint("message-expiry", 0, "seconds")
	alias             = flag.Bool("alias", false, "")
	toPublish         payloads
)

// message is what is told of one.
type message struct {
	Topic   string  `json:"topic"`
	Payload string  `json:"payload"`
	Qos     byte    `json:"qos"`
	Retain  bool    `json:"retain"`
	Expiry  *uint32 `json:"expiry,omitempty"`
	Aliased *bool   `json:"aliased,omitempty"`
}

// connection is what both libraries can do; a failure ends the program.
type connection interface {
	subscribe(filter string, qos byte)
	// publish sends all payloads without waiting, then waits for all.
	publish(payloads []string)
	disconnect()
}

func main() {
	log.SetFlags(0)
	flag.Var(&toPublish, "payload", "")
	flag.Parse()
	var client connection
	if *version == "5.0" {
		client = connect5()
	} else {
		client = connect311()
	}
	if *publish != "" {
		client.publish(toPublish)
		client.disconnect()
		return
	}
	if *subscribe != "" {
		client.subscribe(*subscribe, byte(*qos))
	}
	say("subscribed")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "acknowledge" {
			arrivals.release()
		}
		if lines.Text() == "leave" {
			break
		}
	}
	// What has just come is acknowledged by another goroutine.
	time.Sleep(100 * time.Millisecond)
	client.disconnect()
}

func connected(present bool) {
	say(fmt.Sprintf("connected present=%t", present))
}

func say(line string) {
	os.Stdout.WriteString(line + "\n")
}

// desk prints messages, and acknowledges them at once or when it is told to.
type desk struct {
	mutex    sync.Mutex
	released bool
	held     []func()
}

var arrivals desk

func (d *desk) take(m message, acknowledge func()) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if *hold && !d.released {
		d.held = append(d.held, acknowledge)
	} else if *hold {
		acknowledge()
	}
	told, err := json.Marshal(m)
	must(err)
	say("message " + string(told))
}

func (d *desk) release() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.released = true
	for _, acknowledge := range d.held {
		acknowledge()
	}
}

func tlsConfig() *tls.Config {
	pem, err := os.ReadFile(*ca)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	config := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: "localhost", RootCAs: pool}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		must(err)
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
