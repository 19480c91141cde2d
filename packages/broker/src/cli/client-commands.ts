// The options of `puremq pub`, `puremq sub` and `puremq rr`: names and letters are those of Mosquitto's tools, where these have
// the option. Nothing else is loaded for a help text.

import type { Command, OptionRow, OptionSection } from "@puremq/tls13/command-line"

export const help: OptionSection = { rows: [{ name: "help", help: "this text" }] }

const keyPassword: OptionRow = {
  name: "key-password-file",
  value: "FILE",
  help: "its first line is the key's password, when the key is encrypted",
}

/** A value that may begin with a dash, such as a number. */
const words = (): number => 1

export const whereTo: OptionSection = {
  title: "Where to",
  rows: [
    { name: "host", short: "h", value: "HOST", help: "default 127.0.0.1" },
    { name: "port", short: "p", value: "PORT", help: "default 8883; 1883 with --tcp, 80 with --ws, 443 with --wss" },
    { name: "tcp", help: "plain TCP instead of TLS 1.3" },
    { name: "ws", help: "WebSocket without TLS" },
    { name: "wss", help: "WebSocket over TLS 1.3" },
    { name: "ws-path", value: "PATH", help: "of the WebSocket (default /mqtt)" },
    {
      name: "url",
      short: "L",
      value: "URL",
      help: "all of it at once: mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC is TCP, mqtts:// TLS; ws:// and wss:// too",
    },
  ],
}

export const tls: OptionSection = {
  title: "TLS",
  rows: [
    {
      name: "cafile",
      also: ["ca"],
      value: "FILE",
      help: "authority of the server's certificate (default: .puremq/ca.pem if it is there, else this machine's); --ca is the same",
    },
    { name: "tls-use-os-certs", help: "this machine's authorities, though there is a .puremq/ca.pem" },
    { name: "cert", value: "FILE", help: "client certificate (PEM or DER)" },
    { name: "key", value: "FILE", help: "its private key" },
    keyPassword,
    { name: "tls-alpn", value: "NAME", help: "protocol that is offered by ALPN (default mqtt; http/1.1 with --wss)" },
    {
      name: "ech",
      value: "FILE",
      help: 'hide the name that is asked for: a file with the broker\'s ECHCONFIG block, as "tls13 ech-key" writes it (RFC 9849)',
    },
    { name: "insecure", help: "take any server certificate (for tests only: anybody can be the broker then)" },
  ],
}

export const who: OptionSection = {
  title: "Who",
  rows: [
    { name: "id", short: "i", value: "ID", words, help: "Client Identifier (default: the broker chooses)" },
    {
      name: "id-prefix",
      short: "I",
      value: "TEXT",
      words,
      help: "Client Identifier: this, and the process's number",
    },
    {
      name: "username",
      short: "u",
      value: "NAME",
      words,
      help: "user name; the password is read from PUREMQ_PASSWORD unless -P gives it",
    },
    {
      name: "pw",
      also: ["password"],
      short: "P",
      value: "PASSWORD",
      words,
      help: "other users of this machine can see it",
    },
    {
      name: "scram",
      help: "log in by SCRAM-SHA-256: the password stays here, and the broker proves that it knows the user (MQTT 5.0; needs -u and a password)",
    },
    {
      name: "disable-clean-session",
      short: "c",
      help: "keep the session after the end, and take up the one that is there (needs -i); it does not expire, unless -x says so",
    },
    {
      name: "session-expiry",
      short: "x",
      value: "SECONDS",
      words,
      help: "how long the session is kept after the end; -1 is for ever (default 0, with -c -1; MQTT 5.0)",
    },
    {
      name: "keepalive",
      short: "k",
      value: "SECONDS",
      help: "longest silence before a PINGREQ (default 60; 0: any)",
    },
    {
      name: "protocol-version",
      also: ["mqtt"],
      short: "V",
      value: "VERSION",
      help: "of MQTT: 5 (default), 311 or 31; also mqttv5, mqttv311, mqttv31, 3.1.1, 3.1",
    },
  ],
}

const connection: readonly OptionSection[] = [
  whereTo,
  tls,
  who,
  {
    title: "Will, which the broker sends when the connection is lost",
    rows: [
      { name: "will-topic", value: "TOPIC", help: "where to" },
      { name: "will-payload", value: "TEXT", words, help: "the message (default: an empty one)" },
      { name: "will-qos", value: "0|1|2", help: "default 0" },
      { name: "will-retain", help: "let the broker keep it for later subscribers" },
    ],
  },
]

/** A user property has a name and a value. */
function wordsOfProperty([, name]: readonly string[]): number {
  return name?.toLowerCase() === "user-property" ? 4 : 3
}

function more(packets: string): readonly OptionRow[] {
  return [
    {
      name: "property",
      short: "D",
      value: "PACKET NAME VALUE",
      multiple: true,
      words: wordsOfProperty,
      help: `a property of MQTT 5.0, such as ${packets}; a user-property has a name of its own before the value; repeat for more`,
    },
    { name: "quiet", help: "no line on standard error when something fails, but for options that are wrong" },
  ]
}

const packetNames =
  "PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; NAME is as in the standard, with dashes."

const printing: readonly OptionRow[] = [
  { name: "verbose", short: "v", help: "print the topic before each message" },
  {
    name: "format",
    short: "F",
    value: "FORMAT",
    words,
    help: "what to print of a message: see below",
  },
  { name: "pretty", help: "JSON (%j, %J) in lines, indented" },
  { name: "no-newline", short: "N", help: "no line end after a message" },
  { name: "no-retained", short: "R", help: "leave out retained messages" },
]

const formats = `FORMAT is text with %t topic, %p payload, %x and %X payload in hexadecimal, %l its length, %q QoS, %r 1 if retained, %m Packet Identifier; of MQTT 5.0: %A Topic Alias, %C Content Type, %D Correlation Data, %E Message Expiry Interval, %F Payload Format Indicator, %P User Properties, %R Response Topic, %S Subscription Identifier; %j all of it as JSON, %J the same with a payload that is JSON; %I date and time, %U seconds since 1970; @ and a letter as % in strftime, @N nanoseconds; %% @@ \\\\ \\0 \\a \\e \\n \\r \\t \\v. A number after % is the least width, after a point the greatest (%10.10t); 0 before it pads with zeros, - aligns left.`

const payload: readonly OptionRow[] = [
  { name: "message", short: "m", value: "TEXT", words, help: "the message" },
  { name: "file", short: "f", value: "FILE", help: "the bytes of a file as the message" },
  { name: "stdin-file", short: "s", help: "the whole input as the message" },
  {
    name: "null-message",
    also: ["null"],
    short: "n",
    help: "an empty message (with pub -r it deletes a retained one)",
  },
]

export const pubCommand: Command = {
  name: "puremq pub",
  summary: "publish messages",
  about: "  puremq pub -t TOPIC -m MESSAGE\n  echo MESSAGE | puremq pub -t TOPIC -l",
  sections: [
    {
      rows: [
        { name: "topic", short: "t", value: "TOPIC", help: "where to" },
        ...payload,
        { name: "stdin-line", also: ["lines"], short: "l", help: "each line of the input is a message" },
        { name: "qos", short: "q", value: "0|1|2", help: "default 0" },
        { name: "retain", short: "r", help: "let the broker keep it for later subscribers" },
        { name: "repeat", value: "N", help: "publish it N times, each when the one before is acknowledged" },
        { name: "repeat-delay", value: "SECONDS", help: "wait so long in between, such as 0.5" },
        {
          name: "max-inflight",
          short: "M",
          value: "N",
          help: "with -l: messages of QoS 1 and 2 that wait for their acknowledgement (default 20, and no more than the broker says it takes; 1 in MQTT 3.1.1, where it cannot say)",
        },
        ...more("publish content-type text/plain"),
      ],
    },
    ...connection,
    help,
  ],
  after: packetNames,
}

export const subCommand: Command = {
  name: "puremq sub",
  summary: "subscribe and print messages",
  about: "  puremq sub -t 'TOPIC FILTER'",
  sections: [
    {
      rows: [
        {
          name: "topic",
          short: "t",
          value: "FILTER",
          multiple: true,
          help: "repeat for more; + is one level, # is all that follow",
        },
        { name: "qos", short: "q", value: "0|1|2", help: "highest QoS wanted (default 0)" },
        {
          name: "unsubscribe",
          short: "U",
          value: "FILTER",
          multiple: true,
          help: "end this subscription of a session that was kept (-c); repeat for more",
        },
        {
          name: "filter-out",
          short: "T",
          value: "FILTER",
          multiple: true,
          help: "leave out topics that match; repeat for more",
        },
        ...printing,
        { name: "retained-only", help: "print retained messages, and end at the first that is not" },
        { name: "retain-as-published", help: "a message is retained if it was published so (MQTT 5.0)" },
        { name: "remove-retained", help: "delete each retained message that comes, but for those that -T leaves out" },
        { name: "count", short: "C", value: "N", help: "end after N messages" },
        {
          name: "wait",
          short: "W",
          value: "SECONDS",
          help: "end so long after the connection is made, with status 27",
        },
        {
          name: "exit-after-subscribe",
          short: "E",
          help: "end when the broker has acknowledged the subscriptions: with -c they stay",
        },
        ...more("subscribe subscription-identifier 7"),
      ],
    },
    ...connection,
    help,
  ],
  after: `${formats}\n${packetNames}\nOf a message without payload nothing is printed, and (null) with -v.`,
}

export const rrCommand: Command = {
  name: "puremq rr",
  summary: "send a request and print the response",
  about: "  puremq rr -t TOPIC -e RESPONSE-TOPIC -m REQUEST",
  sections: [
    {
      rows: [
        { name: "topic", short: "t", value: "TOPIC", help: "where to" },
        { name: "response-topic", short: "e", value: "TOPIC", help: "where the response comes" },
        ...payload,
        { name: "qos", short: "q", value: "0|1|2", help: "of request and response (default 0)" },
        ...printing,
        { name: "wait", short: "W", value: "SECONDS", help: "wait no longer for the response: status 27" },
        ...more("publish correlation-data 17"),
      ],
    },
    ...connection,
    help,
  ],
  after: `In MQTT 5.0 the request has the Response Topic and Correlation Data, and a response with other Correlation Data is somebody else's.\n${formats}\n${packetNames}`,
}
