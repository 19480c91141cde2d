// Each step in one sentence: what the page shows in large letters, and what a screen reader hears.

import { mqttPacketOf } from "../run/mqtt.ts"
import type { Happening, Step } from "../run/step.ts"
import {
  bytesText,
  contentTypeName,
  endTitle,
  messageMeaning,
  messageTitle,
  secretMeaning,
  secretTitle,
  upper,
} from "./names.ts"

export interface Sentence {
  readonly text: string
  /** What it is good for; "" when the sentence says it. */
  readonly why: string
  /** Where it is written: `RFC 9846 section 4.2.2`. */
  readonly section: string
}

export function sentenceOf({ end, happening }: Step): Sentence {
  const who = end === undefined ? "" : `The ${end}`
  switch (happening.type) {
    case "action":
      return said(end === undefined ? `${upper(happening.text)}.` : `${who} ${happening.text}.`)
    case "message": {
      const { meaning, section } = messageMeaning(happening)
      const verb = happening.direction === "sent" ? "writes" : "reads"
      const text = `${who} ${verb} ${messageTitle(happening.name)}, ${bytesText(happening.message.length)}.`
      return said(text, upper(meaning), `RFC 9846 section ${section}`)
    }
    case "inner-hello": {
      const [verb, why] =
        happening.direction === "sent"
          ? ["writes", "What is meant: it is sent encrypted in a ClientHello that names another server"]
          : ["finds", "The key of its configuration opens it: this is the hello that it answers"]
      const text = `${who} ${verb} ClientHelloInner, ${bytesText(happening.message.length)}.`
      return said(text, why, `RFC 9849 section ${happening.direction === "sent" ? "6.1" : "7.1"}`)
    }
    case "record":
      return recordSentence(who, happening)
    case "wire":
      return wireSentence(happening.record)
    case "alert": {
      const verb = happening.direction === "sent" ? "sends" : "receives"
      const why =
        happening.description === "close_notify" ? "Nothing more comes from this side, and nothing is missing" : ""
      return said(`${who} ${verb} the alert ${happening.description}.`, why, `RFC 9846 section ${why ? "6.1" : "6.2"}`)
    }
    case "secret": {
      const name = secretTitle(happening.name, happening.generation)
      return said(`${who} derives ${name}.`, upper(secretMeaning(happening.name)), "RFC 9846 section 7.1")
    }
    case "keys": {
      const verb = happening.direction === "sent" ? "Seals what it sends" : "Opens what it receives"
      const text = `${who} makes a key and an iv of ${happening.secretName}.`
      return said(text, `${verb} with them from here on, and counts records from 0`, "RFC 9846 section 7.3")
    }
    case "exchange":
      return said(
        `${who} completes the ${happening.group} key exchange.`,
        happening.secret.every((byte) => byte === 0)
          ? "With a share of small order the secret is all zeros: everybody knows it"
          : "From the other's share and its own private key comes a secret that nobody on the way can compute",
        "RFC 9846 section 7.4",
      )
    case "transcript":
      return said(`${who} hashes the transcript up to ${messageTitle(happening.upTo)}.`, "", "RFC 9846 section 4.1")
    case "state": {
      const { from, to, message } = happening
      // A HelloRetryRequest is a ServerHello by its type, and the only one with which a client stays.
      const isRetry = message === "server_hello" && from === to
      const cause = message === undefined ? "" : ` on ${messageTitle(isRetry ? "hello_retry_request" : message)}`
      const text = from === to ? `${who} stays in ${to}${cause}.` : `${who} goes from ${from} to ${to}${cause}.`
      return said(text, "", `RFC 9846 appendix ${end === "client" ? "A.1" : "A.2"}`)
    }
    case "data": {
      const packet = mqttPacketOf(happening.data)
      const what = packet === undefined ? bytesText(happening.data.length) : `MQTT ${packet.name}`
      const early = happening.early ? "as 0-RTT data " : ""
      return said(`${who}'s application gets ${what} ${early}from its peer.`)
    }
    case "connected":
      return said(`${who} is connected.`, connectedWhy(happening), "RFC 9846 section 2")
    case "event":
      return said(end === undefined ? `${upper(happening.text)}.` : `${who}: ${happening.text}.`)
    case "closed":
      return said(`${who}'s peer has closed its side: the end is known to be the end.`, "", "RFC 9846 section 6.1")
    case "failed": {
      const { message, alert, noticed } = happening.failure
      const why = alert === undefined ? "" : `It answers with the alert ${alert}`
      return said(`${who} gives up: ${message}.`, why, noticed?.section ?? "")
    }
  }
}

function recordSentence(who: string, record: Extract<Happening, { type: "record" }>): Sentence {
  const { direction, innerType, content } = record
  const size = bytesText(content.length)
  if (!record.protected) {
    const verb = direction === "sent" ? "puts" : "takes"
    const place = direction === "sent" ? "into a record in the clear" : "out of a record in the clear"
    return said(`${who} ${verb} ${size} of ${contentTypeName(innerType)} ${place}.`, "", "RFC 9846 section 5.1")
  }
  const text =
    direction === "sent"
      ? `${who} seals ${size} of ${contentTypeName(innerType)} in a record.`
      : `${who} opens a record: ${size} of ${contentTypeName(innerType)}.`
  return said(text, "On the wire it says application_data, whatever is inside", "RFC 9846 section 5.2")
}

function wireSentence(record: Extract<Happening, { type: "wire" }>["record"]): Sentence {
  const { from, sent, arrives, fate } = record
  const to = from === "client" ? "server" : "client"
  const size = bytesText((fate === "dropped" ? sent : arrives).length)
  const fates: Readonly<Record<typeof fate, string>> = {
    carried: `A record of ${size} goes from the ${from} to the ${to}.`,
    changed: `A record of ${size} from the ${from} is changed on the way.`,
    dropped: `A record of ${size} from the ${from} never arrives.`,
    cut: `Only ${size} of a record from the ${from} arrive.`,
    injected: `Somebody sends the ${to} a record of ${size} in the ${from}'s name.`,
    repeated: `A record of ${size} from the ${from} arrives a second time.`,
    delayed: `A record of ${size} from the ${from} arrives late, after the one behind it.`,
  }
  return said(fates[fate])
}

function connectedWhy({ info }: Extract<Happening, { type: "connected" }>): string {
  const by =
    info.authentication === "none"
      ? "does not know who its peer is"
      : `knows its peer by ${info.authentication === "psk" ? "the pre-shared key" : "its certificate"}`
  const protocol = info.alpnProtocol === undefined ? "" : `, to speak ${info.alpnProtocol}`
  return `${info.cipherSuite}${info.group === undefined ? "" : ` and ${info.group}`}${protocol}; it ${by}`
}

/** Who a step is of. */
export function ownerOf({ end }: Step): string {
  return end === undefined ? "On the way" : endTitle(end)
}

function said(text: string, why = "", section = ""): Sentence {
  return { text, why: why === "" ? "" : `${why}.`, section }
}
