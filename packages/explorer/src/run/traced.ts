// What a connection tells its trace, as a happening of a step. The arrays of a trace are views that are valid during the call: copies are kept.

import type { TraceEvent } from "@puremq/tls13"
import {
  copyOf,
  decodeClientHello,
  decodeEchConfigList,
  decodeEchOuter,
  decodeEncryptedExtensions,
  handshakeMessage,
} from "@puremq/tls13/explore"
import { describe } from "@puremq/tls13/trace"
import { recorder } from "../recording/recorder.ts"
import { nest } from "../recording/spans.ts"
import type { Direction, Happening } from "./step.ts"

/** @param wire the record between the ends that is being delivered, for what is received */
export function traced(event: TraceEvent, wire: number | undefined): Happening {
  switch (event.type) {
    case "record": {
      const { direction, contentType, innerType } = event
      const record = copyOf(event.record)
      const content = copyOf(event.content)
      return { type: "record", direction, contentType, innerType, record, content, protected: event.protected, wire }
    }
    case "message":
      return messageHappening(event)
    case "secret":
      return { ...event, secret: copyOf(event.secret), clientRandom: copyOf(event.clientRandom) }
    case "keys":
      return { ...event, key: copyOf(event.key), iv: copyOf(event.iv) }
    case "transcript":
      return { ...event, hash: copyOf(event.hash) }
    case "inner-hello": {
      const { direction } = event
      const message = copyOf(event.message)
      const read = recorder.readingOf(message, () => {
        describe({ ...event, message })
        return undefined
      })
      return { type: "inner-hello", direction, message, fields: nest(read), written: writtenOf(event) }
    }
    case "alert":
      return event
    case "state": {
      const { from, message, to } = event
      return { type: "state", from, message, to } as Happening
    }
  }
}

/** A message with the fields that the codec reads in it, and who wrote them when it was written here. */
export function messageHappening(event: Extract<TraceEvent, { type: "message" }>): Happening {
  const { direction, name } = event
  const message = copyOf(event.message)
  let words: readonly string[] = []
  const read = recorder.readingOf(message, () => {
    words = describe({ ...event, message })
      .split("\n")
      .map((line) => line.trim())
    readEch(name, message)
    return undefined
  })
  return { type: "message", direction, name, message, fields: nest(read), written: writtenOf(event), words }
}

function writtenOf({ direction, message }: { readonly direction: Direction; readonly message: Uint8Array }) {
  return direction === "sent" ? nest(recorder.writingOf(message)) : []
}

/** What encrypted_client_hello says is bytes to the codec: its own readers read on, for what they note. */
function readEch(name: string, message: Uint8Array): void {
  try {
    if (name === "client_hello") {
      const { encrypted_client_hello: contents } = decodeClientHello(handshakeMessage(message)).extensions
      if (contents !== undefined) decodeEchOuter(contents)
    } else if (name === "encrypted_extensions") {
      const { encrypted_client_hello: contents } = decodeEncryptedExtensions(handshakeMessage(message)).values
      if (contents !== undefined) decodeEchConfigList(contents)
    }
  } catch {
    // What was changed on its way may be anything.
  }
}
