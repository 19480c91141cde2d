// What somebody who runs the broker may do.

import type { PublishInput, RotatedModel } from "../model.ts"
import { drainModel } from "../models.ts"
import { Refused } from "../problem.ts"
import { operating, type Route } from "../route.ts"
import * as schemas from "../schemas.ts"

const done = { body: { done: true } }
const byOperator = "disconnected by the operator"

export const operationRoutes: readonly Route[] = [
  operating({
    method: "POST",
    path: "/client/disconnect",
    operation: "disconnectClient",
    about:
      "Ends a client's connection: MQTT 5.0 clients get DISCONNECT 0x98 with the reason. Its session stays as long as it may.",
    input: schemas.disconnectInput,
    answer: schemas.done,
    problems: [404],
    target: ({ clientId }) => clientId,
    run: ({ clientId, reason = byOperator }, { parts }) => {
      if (!parts.operate.disconnect(clientId, reason))
        throw new Refused(404, "no client with this identifier is connected")
      return done
    },
  }),
  operating({
    method: "DELETE",
    path: "/session",
    operation: "endSession",
    about: "Ends a session with all that waits for it, and the connection of its client.",
    input: schemas.oneClient,
    answer: schemas.done,
    problems: [404],
    target: ({ clientId }) => clientId,
    run: ({ clientId }, { parts }) => {
      if (!parts.operate.endSession(clientId, byOperator))
        throw new Refused(404, "there is no session with this Client Identifier")
      return done
    },
  }),
  operating({
    method: "POST",
    path: "/publish",
    operation: "publish",
    about: "Publishes a message as the broker itself. Its payload is text or base64; with neither it is empty.",
    input: schemas.publishInput,
    answer: schemas.done,
    problems: [422],
    target: ({ topic }) => topic,
    run: (input, { parts }) => {
      const { topic, qos = 0, retain = false } = input
      const problem = parts.operate.publish({ topic, payload: payloadOf(input), qos, retain })
      if (problem !== undefined) throw new Refused(422, `the message was not published: ${problem}`)
      return done
    },
  }),
  operating({
    method: "DELETE",
    path: "/retained-message",
    operation: "deleteRetainedMessage",
    about: "Takes a retained message away, as an empty one does that is published on its topic: subscribers get that.",
    input: schemas.oneTopic,
    answer: schemas.done,
    problems: [404],
    target: ({ topic }) => topic,
    run: ({ topic }, { parts }) => {
      if (!parts.operate.deleteRetained(topic))
        throw new Refused(404, "there is no retained message on this topic that could be taken away")
      return done
    },
  }),
  operating({
    method: "POST",
    path: "/reload",
    operation: "reload",
    about: "Reads the configuration and its files again, as SIGHUP does: all of it is taken, or nothing.",
    input: schemas.nothing,
    answer: schemas.done,
    problems: [409, 422],
    run: async (_, { parts }) => {
      if (parts.reload === undefined)
        throw new Refused(409, "this broker was not started with files: whoever embeds it calls reload()")
      const problem = await parts.reload()
      if (problem !== undefined) throw new Refused(422, problem)
      return done
    },
  }),
  operating({
    method: "POST",
    path: "/ticket-keys/rotate",
    operation: "rotateTicketKeys",
    about:
      "Seals the session tickets of all listeners with TLS by a new key. With forget those given before are worth nothing: their clients make a full handshake.",
    input: schemas.rotateInput,
    answer: schemas.rotated,
    problems: [],
    run: ({ forget = false }, { parts }) => {
      const listeners = parts.rotateTicketKeys(forget)
      return { body: { done: true, listeners } satisfies RotatedModel }
    },
  }),
  operating({
    method: "POST",
    path: "/drain",
    operation: "drain",
    about:
      "Lets nobody in any more, and sends clients to another server in even shares, all of them within so many seconds: DISCONNECT and CONNACK 0x9C with the Server Reference. GET /health is not ok from then on.",
    input: schemas.drainInput,
    answer: schemas.drain,
    problems: [],
    target: ({ server }) => server,
    run: ({ server, seconds }, { parts }) => ({
      body: drainModel(parts.operate.drain(server, seconds * 1000), parts),
    }),
  }),
  operating({
    method: "DELETE",
    path: "/drain",
    operation: "endDrain",
    about: "Lets clients in again. Who has been sent away does not come back by that.",
    input: schemas.nothing,
    answer: schemas.done,
    problems: [404],
    run: (_, { parts }) => {
      if (!parts.operate.undrain()) throw new Refused(404, "nobody is being sent away")
      return done
    },
  }),
]

function payloadOf({ text, base64 }: PublishInput): Uint8Array {
  if (text !== undefined && base64 !== undefined)
    throw new Refused(400, "text and base64 go without each other: give one")
  return base64 === undefined ? Buffer.from(text ?? "", "utf8") : Buffer.from(base64, "base64")
}
