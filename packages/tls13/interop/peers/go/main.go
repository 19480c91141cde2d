// Go's crypto/tls as a peer. It connects, sends bytes and checks that the same come back, or it echoes what comes.
// A failure is one line on standard error and a status of 1.
package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
)

var groupsByName = map[string]tls.CurveID{
	"X25519": tls.X25519, "P-256": tls.CurveP256, "P-384": tls.CurveP384, "P-521": tls.CurveP521,
	"X25519MLKEM768": tls.X25519MLKEM768,
}

func main() {
	log.SetFlags(0)
	mode := os.Args[1]
	flags := flag.NewFlagSet(mode, flag.ExitOnError)
	port := flags.Int("port", 0, "")
	ca := flags.String("ca", "", "")
	cert := flags.String("cert", "", "")
	key := flags.String("key", "", "")
	groups := flags.String("groups", "", "separated by colons")
	size := flags.Int("bytes", 300, "")
	connections := flags.Int("connections", 1, "")
	ech := flags.String("ech", "", "a file of RFC 9934: a client takes its configurations, a server its key too")
	retry := flags.String("ech-retry", "", "the server rejects that of --ech, and tells what is in this file")
	flags.Parse(os.Args[2:])

	config := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	for _, name := range strings.FieldsFunc(*groups, func(r rune) bool { return r == ':' }) {
		config.CurvePreferences = append(config.CurvePreferences, groupsByName[name])
	}
	if *ca != "" {
		pem, err := os.ReadFile(*ca)
		must(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		config.RootCAs = pool
		if mode == "server" {
			config.ClientCAs, config.ClientAuth = pool, tls.RequireAndVerifyClientCert
		}
	}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		must(err)
		config.Certificates = []tls.Certificate{pair}
	}
	if *ech != "" {
		key, list := echFile(*ech)
		if mode == "server" {
			// One configuration, without the length of the list.
			config.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{{Config: list[2:], PrivateKey: key, SendAsRetry: true}}
		} else {
			config.EncryptedClientHelloConfigList = list
		}
	}
	if mode == "client" && *retry != "" {
		retryWithWhatIsTold(fmt.Sprintf("127.0.0.1:%d", *port), config, *retry)
	}
	if mode == "client" {
		for range *connections {
			exchange(fmt.Sprintf("127.0.0.1:%d", *port), config, *size)
		}
		return
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	must(err)
	fmt.Println("listening on", listener.Addr())
	for {
		connection, err := listener.Accept()
		must(err)
		go echo(connection.(*tls.Conn))
	}
}

// The next connection has the configurations that the server has sent, which have to be those of the file.
func retryWithWhatIsTold(address string, config *tls.Config, path string) {
	_, err := tls.Dial("tcp", address, config)
	var rejected *tls.ECHRejectionError
	if !errors.As(err, &rejected) {
		log.Fatal("it was to be rejected: ", err)
	}
	if _, list := echFile(path); !bytes.Equal(list, rejected.RetryConfigList) {
		log.Fatal("it was told another configuration than the server's")
	}
	config.EncryptedClientHelloConfigList = rejected.RetryConfigList
}

func exchange(address string, config *tls.Config, size int) {
	connection, err := tls.Dial("tcp", address, config)
	must(err)
	sent := make([]byte, size)
	rand.Read(sent)
	got := make([]byte, size)
	// In parts, each after the echo of the last: what a renewal of keys asks for is answered with the next.
	part := max(4096, size/8)
	for at := 0; at < size; at += part {
		end := min(at+part, size)
		go connection.Write(sent[at:end])
		_, err = io.ReadFull(connection, got[at:end])
		must(err)
	}
	if !bytes.Equal(sent, got) {
		log.Fatal("another text came back")
	}
	report(connection)
	must(connection.Close())
}

func echo(connection *tls.Conn) {
	defer connection.Close()
	if err := connection.Handshake(); err != nil {
		log.Print(err)
		return
	}
	report(connection)
	io.Copy(connection, connection)
}

func report(connection *tls.Conn) {
	state := connection.ConnectionState()
	fmt.Println(tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), state.CurveID,
		"resumed:", state.DidResume, "encrypted:", state.ECHAccepted, "retry:", state.HelloRetryRequest, "certificates:", len(state.PeerCertificates))
}

func echFile(path string) (key, list []byte) {
	rest, err := os.ReadFile(path)
	must(err)
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ECHCONFIG" {
			list = block.Bytes
			continue
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		must(err)
		// One of P-256 is taken for one that signs.
		if signs, is := parsed.(*ecdsa.PrivateKey); is {
			parsed, err = signs.ECDH()
			must(err)
		}
		key = parsed.(*ecdh.PrivateKey).Bytes()
	}
	return key, list
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
