// What is promised to clients: each promise that a schedule can show to be broken, and where it stands. The numbers are the
// statements of MQTT 5.0, or its section where the standard has no number for it; "house" is a promise of our own.

export interface Promised {
  readonly statement: string
  readonly says: string
}

export const promises = {
  // --- messages (judged in model.ts)
  "nothing acknowledged is lost": {
    statement: "MQTT-4.5.0-1",
    says: "what was acknowledged at QoS 1 or 2 comes to every session that had a subscription for it, crash or not",
  },
  "QoS 2 comes once": { statement: "MQTT-4.3.3-10", says: "over reconnects, take-overs and crashes" },
  "in order": {
    statement: "MQTT-4.6.0-5",
    says: "messages of a publisher, a topic and a QoS come in the order in which they were sent",
  },
  "only to subscribers": { statement: "MQTT-3.10.4-2", says: "nothing comes that was published after UNSUBACK" },
  "not to its publisher": {
    statement: "MQTT-3.8.3-3",
    says: "with No Local nothing of a client's own comes back to it",
  },
  "QoS as granted": { statement: "MQTT-3.8.4-8", says: "a message comes with the lower of published and granted QoS" },
  "highest QoS of all": {
    statement: "MQTT-3.3.4-2",
    says: "of overlapping subscriptions the one that grants most decides",
  },
  unaltered: { statement: "MQTT-3.3.2-3", says: "a message comes on its topic, with its payload" },
  "refused is not delivered": {
    statement: "3.4.2.1",
    says: "after a Reason Code of 0x80 or more nobody gets the message",
  },
  "expired is not sent": { statement: "MQTT-3.3.2-5", says: "what expired while it waited is not sent" },
  "expiry counts down": {
    statement: "MQTT-3.3.2-6",
    says: "Message Expiry Interval is what is left of it: with the time taken off that the message has waited here",
  },

  // --- flow (judged in client.ts)
  "DUP says what comes again": { statement: "MQTT-3.3.1-1", says: "what is sent again has DUP, and nothing else" },
  "again after a reconnect only": { statement: "MQTT-4.4.0-1", says: "nothing is sent twice on one connection" },
  "an identifier for one message": {
    statement: "MQTT-2.2.1-4",
    says: "a Packet Identifier in use is not given to another",
  },
  "receive maximum": { statement: "MQTT-3.3.4-9", says: "no more is unacknowledged than the client takes" },
  "topic aliases": { statement: "3.3.2.3.4", says: "an alias is said before it is used" },
  "answers have a question": { statement: "MQTT-2.2.1-5", says: "acknowledgements are for what was sent" },
  "CONNACK comes first, once": { statement: "MQTT-3.2.0-1", says: "and says what has been decided (MQTT-3.2.0-2)" },
  "everybody is answered": { statement: "4.3", says: "once nothing fails any more, within a minute" },

  // --- Shared Subscriptions (judged in model.ts)
  "shared by one": { statement: "4.8.2", says: "what comes at QoS 2 comes to one session of a Shared Subscription" },
  "shared is not lost": {
    statement: "4.8.2",
    says: "what a session has not acknowledged at QoS 1 when it ends goes to another; so does what it was not sent",
  },

  // --- sessions (judged in client.ts, world.ts)
  "clean start": { statement: "MQTT-3.1.2-4", says: "with Clean Start there is no session of before" },
  "a session goes on": { statement: "MQTT-3.1.2-5", says: "without it the session of before is there, crash or not" },
  "a session ends": { statement: "MQTT-4.1.0-2", says: "it does not come back after its Session Expiry Interval" },
  "whose session it is": { statement: "5.4.2", says: "another user gets nothing of it" },

  // --- retained messages (judged in model.ts and ending.ts)
  "the last is retained": {
    statement: "MQTT-3.3.1-5",
    says: "a new subscription is sent no older message than the last that was acknowledged, none after an empty one",
  },
  "retained is kept": { statement: "MQTT-3.3.1-9", says: "a new subscription is sent what is retained, crash or not" },
  "retained when asked for": { statement: "MQTT-3.3.1-11", says: "with Retain Handling 2 nothing retained is sent" },
  "RETAIN says what was retained": {
    statement: "MQTT-3.3.1-12",
    says: "what is not from a retained message has it not",
  },

  // --- wills (judged in wills.ts)
  "a will is published": {
    statement: "MQTT-3.1.2-8",
    says: "when the connection was lost, also by a crash; not before that",
  },
  "a will comes once": { statement: "MQTT-3.1.2-10", says: "it is published once" },
  "no will after a good-bye": { statement: "MQTT-3.14.4-3", says: "DISCONNECT with Reason Code 0 discards it" },
  "no will when the session goes on": {
    statement: "MQTT-3.1.3-9",
    says: "a client that is back in time has its will given up",
  },
  "a will waits": { statement: "3.1.3.2.2", says: "it is published when its Will Delay Interval is over, not earlier" },

  // --- the house's own
  "nothing throws": { statement: "house", says: "no fault in the core, whatever comes" },
  "nobody is put out": {
    statement: "house",
    says: "the broker ends no connection of a client that does nothing wrong",
  },
  "Changes are true": { statement: "house", says: "each Change goes with those before it" },
  "nothing is left": { statement: "house", says: "when everybody has gone, memory and store are empty" },
} as const satisfies Record<string, Promised>

export type PromiseName = keyof typeof promises

/** The broker has done what it may not do. */
export class Broken extends Error {
  constructor(promise: PromiseName, what: string) {
    super(`${what} (${promises[promise].statement}: ${promise})`)
  }
}
