import { limitsHelp } from "./limit-options.ts"

export const generalHelp = `puremq - an MQTT 3.1.1 and 5.0 broker on its own TLS 1.3

  puremq start    run the broker; without options, on 127.0.0.1:8883 with a development certificate
  puremq cert     make an authority and certificates for development
  puremq pub      publish a message
  puremq sub      subscribe and print messages
  puremq passwd   add, change or delete a user in a password file

"puremq COMMAND --help" tells the options of a command.
`

export const startHelp: string = `puremq start - run the broker

Without options: TLS 1.3 on 127.0.0.1:8883 with a development certificate, which is made in .puremq/ the first time,
open to every program on this machine.

Listeners (HOST is 127.0.0.1 unless given; 0.0.0.0 is every address of this machine):
  --tls [HOST:]PORT         MQTT over TLS 1.3 (default 8883)
  --wss [HOST:]PORT         MQTT over WebSocket over TLS 1.3
  --tcp [HOST:]PORT         MQTT over TCP, nothing encrypted (off unless given)
  --ws [HOST:]PORT          MQTT over WebSocket, nothing encrypted (off unless given)
  --no-tls                  no TLS listener
  --origin ORIGIN           pages of this origin (https://app.example.org) may use WebSocket; repeat for more, * is any.
                            Default: pages of the same origin. Programs that are no browsers have none, and may
  --proxy-protocol ADDRESS  connections come from this proxy, or network (10.0.0.0/8), and begin with a header of the
                            PROXY protocol, version 1 or 2; repeat for more. From elsewhere they are closed

Certificates (PEM or DER):
  --cert FILE --key FILE    the server's certificate chain and private key
  --key-password-file FILE  its first line is the key's password, when the key is encrypted
  --ca FILE                 authority of client certificates
  --client-cert WHEN        none, request, require or request-any (default: require with --ca, else none). One that is
                            shown must be valid; with request-any whoever shows another is let in as without
  --identity RULE           what of a client's certificate is its user name: subject-cn (default), subject, san-email,
                            san-dns, san-uri or spki-sha256
  --crl FILE                revocation lists that client certificates are looked up in
  --revocation WHEN         ifPresent (default): a list that is there must be usable; require: there must be one; off
  --reload SECONDS          look at these files, the users and the access control list every so often, and take all of
                            them when some have changed; SIGHUP does it at once. Connections stay open. When one of
                            the files cannot be used, nothing changes and the log says why

Who may do what:
  --password-file FILE      users, written by "puremq passwd"; then nobody gets in without a login
  --anonymous               let clients without login in all the same
  --acl FILE                who may read and write which topics
  --disconnect-revoked      when files are read again, also disconnect clients whose user was deleted or has another
                            password, whose certificate would be refused now, or that have a subscription which is no
                            longer allowed. Without it they stay; what is not allowed ends at once in any case

Watching it:
  --metrics [HOST:]PORT     Prometheus metrics at http://HOST:PORT/metrics
  --log FORMAT              text (default), json or none: one line for each handshake, client and failure

Limits (the file has more of them):
${limitsHelp}

  --config FILE             a JSON file with all of this and the limits; other options are then not allowed
  --help

Stop it with Ctrl-C: clients are told and connections closed.
`

export const certHelp = `puremq cert - make an authority and certificates for development

  --dir FOLDER      where to write (default .puremq)
  --name NAME       host name or IP address of the server; repeat for more (default localhost, 127.0.0.1, ::1)
  --client NAME     common name of the client certificate (default: client)
  --client-san NAME another name of the client, repeat for more: device@example.com, urn:dev:7, spiffe://example.com/7,
                    device.example.com
  --type TYPE       p256 (default), ed25519 or rsa
  --days N          validity of server and client certificate (default 397)
  --force           write over files that are there
  --help

Writes ca.pem, ca-key.pem, server.pem, server-key.pem, client.pem and client-key.pem. Keys are readable by you alone.
These certificates are for trying things out: nobody but you should trust this authority.
`

const connection = `Where to:
  -h, --host HOST           default 127.0.0.1
  -p, --port PORT           default 8883, with --tcp 1883
  --tcp                     plain TCP instead of TLS 1.3
  --ca FILE                 authority of the server's certificate (default: .puremq/ca.pem if it is there)
  --cert FILE --key FILE    client certificate and key (PEM or DER)
  --key-password-file FILE  its first line is the key's password, when the key is encrypted
  --insecure                take any server certificate (for tests only)

Who:
  -i, --id ID               Client Identifier (default: the broker chooses)
  -u, --username NAME       user name; the password is read from PUREMQ_PASSWORD unless -P gives it
  -P, --password PASSWORD   other users of this machine can see it
  -V, --mqtt VERSION        5 (default) or 3.1.1
`

export const pubHelp: string = `puremq pub - publish a message

  puremq pub -t TOPIC -m MESSAGE
  echo MESSAGE | puremq pub -t TOPIC -l

  -t, --topic TOPIC
  -m, --message TEXT        the message
  -f, --file FILE           the bytes of a file as the message
  -l, --lines               each line of the input is a message
  -n, --null                an empty message (with -r it deletes a retained one)
  -q, --qos 0|1|2           default 0
  -r, --retain              let the broker keep it for later subscribers

${connection}
  --help
`

export const subHelp: string = `puremq sub - subscribe and print messages

  puremq sub -t 'TOPIC FILTER'

  -t, --topic FILTER        repeat for more; + is one level, # is all that follow
  -q, --qos 0|1|2           highest QoS wanted (default 0)
  -v, --verbose             print the topic before each message
  -C, --count N             end after N messages
  -W, --wait SECONDS        end after so many seconds, with status 27 when messages are still missing

${connection}
  --help
`

export const passwdHelp = `puremq passwd - add, change or delete a user in a password file

  puremq passwd FILE USER             asks for the password, or reads it from standard input
  puremq passwd FILE USER --delete

  --cost N      scrypt cost, 10 to 17 (default 15: 32 MiB for each login; one more is twice the work). Best one for all
                users: a login that fails costs a computation of each cost in the file, so as not to tell who exists
  --delete      take the user out
  --help

The file holds no passwords, only salted scrypt hashes. A running broker takes a change at SIGHUP
or with "puremq start --reload".
`
