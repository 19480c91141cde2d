// Faults of a cluster that somebody could build, played by who stands between clients and a broker; and the checks that find them.

import { identifierOf } from "../../crash/clients.ts"
import { acknowledge, disconnect, packetType, type Received, readPublish } from "../../hostile/wire/mqtt.ts"
import type { CheckName } from "../checks/checks.ts"
import { bytesOf, isPublish, type Passing, type Plant, qosIn } from "./front.ts"

/** Identifiers from here on are of messages that the broker has not sent. */
const ours = 32_768

interface Planted {
  readonly name: string
  /** At least one of these has to find it. */
  readonly by: CheckName
  /** Rounds in which it is found; default 4. */
  readonly rounds?: number
  make(): Plant
}

/** True each so many times. */
function each(times: number): () => boolean {
  let count = 0
  return () => ++count % times === 0
}

const topicIn = (packet: Received) => readPublish(packet).topic
const idIn = (packet: Received) => readPublish(packet).packetId
const isMessage = (packet: Received, qos: number) =>
  isPublish(packet) && qosIn(packet) === qos && topicIn(packet).startsWith("messages/")
const isWill = (packet: Received) => isPublish(packet) && qosIn(packet) === 2 && topicIn(packet).startsWith("wills/")

/** The same PUBLISH of QoS 2 with an identifier of ours. */
function again(packet: Received): Uint8Array {
  const body = Uint8Array.from(packet.body)
  const at = 2 + body[0]! * 256 + body[1]!
  body[at] = body[at]! | (ours >> 8)
  return bytesOf({ ...packet, body })
}

/** Answers what a client says of a message of ours. @returns whether it was of another */
function handled({ type, body }: Received, passing: Passing): boolean {
  if (type !== packetType.pubrec && type !== packetType.pubcomp && type !== packetType.puback) return true
  const id = identifierOf(body)
  if (id < ours) return true
  if (type === packetType.pubrec) passing.toClient(acknowledge(passing.version, packetType.pubrel, id))
  return false
}

/** Some messages of QoS 2 to a client come to another, or to itself, once more. */
function doubling(wants: (packet: Received, passing: Passing) => boolean, times: number, to?: string): Plant {
  const due = each(times)
  return {
    fromClient: handled,
    fromBroker(packet, passing, all) {
      if (!wants(packet, passing) || !due()) return true
      const other = to === undefined ? passing : all.find(({ clientId }) => clientId === to)
      if (other !== passing) other?.toClient(again(packet))
      else {
        passing.toClient(bytesOf(packet))
        passing.toClient(again(packet))
      }
      return other !== passing
    },
  }
}

/** Some messages do not come to a client, and the broker is told that they have. */
function swallowing(wants: (packet: Received, passing: Passing) => boolean, times: number): Plant {
  const due = each(times)
  return {
    fromBroker(packet, passing) {
      if (!wants(packet, passing) || !due()) return true
      passing.toBroker(acknowledge(passing.version, packetType.puback, idIn(packet)))
      return false
    },
  }
}

/** A connection that another has taken over is left open to its client. */
function leavingOpen(plant: Plant): Plant {
  const takenOver = new Set<Passing>()
  return {
    ...plant,
    fromBroker(packet, passing, all) {
      if (packet.type !== packetType.disconnect) return plant.fromBroker?.(packet, passing, all) ?? true
      if (packet.body[0] === 0x8e) takenOver.add(passing)
      return false
    },
    brokerCloses: (passing) => takenOver.has(passing),
  }
}

export const plants: readonly Planted[] = [
  {
    name: "an acknowledged message does not get into the log",
    by: "lost",
    make() {
      const due = each(60)
      return {
        fromClient(packet, passing) {
          if (!isMessage(packet, 1) || !due()) return true
          passing.toClient(acknowledge(passing.version, packetType.puback, idIn(packet)))
          return false
        },
      }
    },
  },
  {
    name: "a subscriber does not get a message that waited for it",
    by: "lost",
    make: () => swallowing((packet, { clientId }) => clientId === "roams" && isMessage(packet, 1), 50),
  },
  {
    name: "a message of QoS 2 comes twice",
    by: "doubled",
    make: () => doubling((packet, { clientId }) => clientId === "there" && isMessage(packet, 2), 50),
  },
  {
    name: "a message is overtaken by the next",
    by: "order",
    make() {
      const due = each(40)
      let held: Received | undefined
      return {
        fromClient(packet, passing) {
          if (passing.clientId !== "p1" || !isMessage(packet, 1)) return true
          if (held !== undefined) {
            passing.toBroker(bytesOf(packet))
            passing.toBroker(bytesOf(held))
            held = undefined
            return false
          }
          if (!due()) return true
          held = packet
          return false
        },
      }
    },
  },
  {
    name: "what was refused is delivered",
    by: "foreign",
    make() {
      const due = each(50)
      return {
        fromBroker(packet, passing) {
          if (packet.type !== packetType.puback || passing.version !== 5 || !/^p\d$/.test(passing.clientId)) return true
          if (!due()) return true
          passing.toClient(acknowledge(5, packetType.puback, identifierOf(packet.body), 0x97))
          return false
        },
      }
    },
  },
  {
    name: "a session is not found when its client comes back",
    by: "sessions",
    make: () => ({
      fromClient(packet, passing) {
        if (packet.type !== packetType.connect || passing.clientId !== "roams" || passing.number % 3 !== 0) return true
        const body = Uint8Array.from(packet.body)
        body[7] = body[7]! | 2
        passing.toBroker(bytesOf({ ...packet, body }))
        return false
      },
    }),
  },
  {
    name: "a connection that was replaced still gets messages",
    by: "served",
    rounds: 8,
    make: () =>
      leavingOpen({
        fromBroker(packet, passing, all) {
          const older = all.find((one) => one.clientId === passing.clientId && one.number < passing.number)
          if (isMessage(packet, 1)) older?.toClient(bytesOf(packet))
          return true
        },
      }),
  },
  {
    name: "a connection that was replaced is still answered",
    by: "served",
    rounds: 8,
    make: () =>
      leavingOpen({
        fromClient(packet, passing) {
          if (!isPublish(packet) || !topicIn(packet).startsWith("late/")) return true
          passing.toClient(acknowledge(passing.version, packetType.puback, idIn(packet)))
          return false
        },
      }),
  },
  {
    name: "two members of a share get a message of QoS 2",
    by: "shared",
    make: () => doubling((packet, { clientId }) => clientId === "g1" && isMessage(packet, 2), 20, "g2"),
  },
  {
    name: "no member of a share gets a message",
    by: "shared",
    make: () => swallowing((packet, { clientId }) => clientId === "g1" && isMessage(packet, 1), 20),
  },
  {
    name: "two nodes publish a will",
    by: "wills",
    make: () => doubling((packet, { clientId }) => clientId === "there" && isWill(packet), 1),
  },
  {
    name: "no node publishes a will",
    by: "wills",
    make: () => ({
      clientCloses: ({ clientId, version, toBroker }) => clientId.startsWith("will-") && toBroker(disconnect(version)),
    }),
  },
  {
    name: "a will is published in spite of a good-bye",
    by: "wills",
    rounds: 8,
    make: () => ({
      fromClient: ({ type }, { clientId }) => type !== packetType.disconnect || !clientId.startsWith("will-"),
    }),
  },
  {
    name: "a retained message is not kept",
    by: "retained",
    make() {
      const due = each(7)
      return {
        fromClient(packet, passing) {
          if (!isPublish(packet) || (packet.flags & 1) === 0 || !due()) return true
          passing.toBroker(bytesOf({ ...packet, flags: packet.flags & 14 }))
          return false
        },
      }
    },
  },
]
