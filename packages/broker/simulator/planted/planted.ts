// Faults that the simulator has to find: a text in a source of the core, and what stands in its place. Each is a mistake that
// somebody could make there.

export interface Planted {
  readonly kind:
    | "lost"
    | "doubled"
    | "out of order"
    | "session of another"
    | "will"
    | "retained"
    | "expiry"
    | "before it is kept"
    | "shared"
    | "flow"
    | "subscription"
  /** What is wrong with it. */
  readonly fault: string
  /** In packages/broker/src. */
  readonly file: string
  /** Stands there exactly once. */
  readonly from: string
  readonly to: string
  /** It shows where there are several nodes. */
  readonly cluster?: true
}

export const planted: readonly Planted[] = [
  {
    kind: "lost",
    fault: "what was under way is not sent again after a reconnect",
    file: "session/inflight.ts",
    from: "this.#resend = [...this.#sent.keys()]",
    to: "this.#resend = []",
  },
  {
    kind: "lost",
    fault: "a message is taken from the queue before it is known whether it may be sent",
    file: "session/sender.ts",
    from: "      if (!this.#inflight.maySend) return\n      this.#queue.shift()\n",
    to: "      this.#queue.shift()\n      if (!this.#inflight.maySend) return\n",
  },
  {
    kind: "lost",
    fault: "a restart keeps of what waits only what was sent",
    file: "hub/restore.ts",
    from: "if (message !== undefined || packetId > 0) waiting.push",
    to: "if (packetId > 0) waiting.push",
  },
  {
    kind: "lost",
    fault: "of a message to many who are away, who gets something else before his copy is made does not get that",
    file: "routing/router.ts",
    from: "    if (late !== undefined && route !== undefined) this.#deliver(",
    to: "    if (late === undefined && route !== undefined) this.#deliver(",
  },
  {
    kind: "doubled",
    fault: "a QoS 2 PUBLISH that comes again is published again",
    file: "client/receiver.ts",
    from: "const again = qos === 2 && session.hasReceived(packetId)",
    to: "const again = qos === 2 && !reader.dup && session.hasReceived(packetId)",
  },
  {
    kind: "doubled",
    fault: "a restart forgets which QoS 2 messages have come",
    file: "hub/restore.ts",
    from: "session.restore(waiting, kept.received ?? [])",
    to: "session.restore(waiting, [])",
  },
  {
    kind: "doubled",
    fault: "after PUBREC the message is still there to be sent again",
    file: "session/sender.ts",
    from: "if (inflight.message !== undefined) this.#releaseOnly(inflight)\n    this.#link?.pubrel",
    to: "this.#link?.pubrel",
  },
  {
    kind: "out of order",
    fault: "a new message passes by those that wait",
    file: "session/sender.ts",
    from: "this.#inflight.maySend && !this.waits && link.writable",
    to: "this.#inflight.maySend && !this.#inflight.resends && link.writable",
  },
  {
    kind: "out of order",
    fault: "Packet Identifiers are sorted as texts before they are sent again",
    file: "session/inflight.ts",
    from: "this.#resend = [...this.#sent.keys()]",
    to: "this.#resend = [...this.#sent.keys()].sort()",
  },
  {
    kind: "out of order",
    fault: "a message that waits for nothing passes by one that waits for the store",
    file: "client/writer.ts",
    from: "    else this.#outflow.wroteInOrder(PacketType.Publish)\n",
    to: "    else this.#outflow.wroteAnswer()\n",
  },
  {
    kind: "session of another",
    fault: "a Client Identifier is enough to get a session",
    file: "hub/sessions.ts",
    from: "return alike && (anonymous || identity.user === owner.user)",
    to: "return alike",
  },
  {
    kind: "session of another",
    fault: "a restart forgets who had logged in",
    file: "hub/restore.ts",
    from: "sessions.restore(clientId, owner, expiryInterval)",
    to: "sessions.restore(clientId, { ...owner, source: 'anonymous' }, expiryInterval)",
  },
  {
    kind: "session of another",
    fault: "Clean Start goes on with the session of before",
    file: "hub/sessions.ts",
    from: "if (!packet.cleanStart) return session",
    to: "if (!packet.cleanStart || session.kept) return session",
  },
  {
    kind: "session of another",
    fault: "a take-over leaves the old connection open",
    file: "hub/sessions.ts",
    from: "    present?.takenOver(now, packet.cleanStart)\n",
    to: "",
  },
  {
    kind: "will",
    fault: "a restart loses the will of a session that ended with it",
    file: "hub/wills.ts",
    from: "    this.#publish(this.#needs.stranger(clientId, owner), will, now, unknownRules)\n",
    to: "",
  },
  {
    kind: "will",
    fault: "a will that was published is still in the store",
    file: "hub/wills.ts",
    from: "has that first (stores/parts.ts).\n      this.cleared(session)\n",
    to: "has that first (stores/parts.ts).\n",
  },
  {
    kind: "will",
    fault: "a client that is back in time does not stop its will",
    file: "hub/sessions.ts",
    from: "session.pendingWill = undefined // [MQTT-3.1.3-9]",
    to: "if (packet.will !== undefined) session.pendingWill = undefined",
  },
  {
    kind: "will",
    fault: "a good-bye leaves the will in the store",
    file: "hub/sessions.ts",
    from: "} else wills.cleared(session)",
    to: "}",
  },
  {
    kind: "retained",
    fault: "a restart brings back the first message that was retained",
    file: "hub/restore.ts",
    from: "else this.#retained.set(change.topic, change.sequence)",
    to: "else if (!this.#retained.has(change.topic)) this.#retained.set(change.topic, change.sequence)",
  },
  {
    kind: "retained",
    fault: "an empty retained message does not reach the store",
    file: "hub/retained.ts",
    from: 'if (!isOwn(topic)) this.#needs.recorder.record({ type: "retained", topic, sequence: 0 })',
    to: 'if (isOwn(topic)) this.#needs.recorder.record({ type: "retained", topic, sequence: 0 })',
  },
  {
    kind: "expiry",
    fault: "what has expired while it waited is sent",
    file: "session/sender.ts",
    from: "const expired = next.message.expired(now)",
    to: "const expired = false",
  },
  {
    kind: "expiry",
    fault: "a restart forgets when messages expire",
    file: "hub/restore.ts",
    from: "payload, qos, retain, properties, expiresAt)\n    // Numbers",
    to: "payload, qos, retain, properties, Number.POSITIVE_INFINITY)\n    // Numbers",
  },
  {
    kind: "expiry",
    fault: "a restart begins the time of a session anew",
    file: "hub/sessions.ts",
    from: "session.endsAt = endsAt ?? endOf(expiryInterval, lostAt)",
    to: "session.endsAt = endOf(expiryInterval, this.#needs.now())",
  },
  {
    kind: "before it is kept",
    fault: "PUBACK leaves before the message is kept",
    file: "client/outflow.ts",
    from: "    this.wroteAnswer(false, turn)\n",
    to: "    this.wrote()\n",
  },
  {
    kind: "before it is kept",
    fault: "a QoS 2 PUBLISH leaves before its identifier is kept",
    file: "client/writer.ts",
    from: "    if (qos === 0) this.#outflow.wrote()\n    else this.#outflow.wroteInOrder(PacketType.Publish)\n",
    to: "    this.#outflow.wrote()\n",
  },
  {
    kind: "shared",
    fault: "what waits for a member that ends is dropped",
    file: "hub/sessions.ts",
    from: "if (session.hasShared && members === undefined) {",
    to: "if (session.hasShared && members === undefined && session.connected) {",
  },
  {
    kind: "shared",
    fault: "what a member has not acknowledged goes to nobody when it ends",
    file: "session/sender.ts",
    from: "if (share === undefined || message === undefined || qos !== 1) continue",
    to: "if (share === undefined || message === undefined || qos !== 2) continue",
  },
  {
    kind: "flow",
    fault: "what is sent again has no DUP",
    file: "session/sender.ts",
    from: "if (link.publish(message, qos, retain, true, packetId, identifiers, now)) this",
    to: "if (link.publish(message, qos, retain, false, packetId, identifiers, now)) this",
  },
  {
    kind: "flow",
    fault: "PUBREC ends the use of a Packet Identifier",
    file: "session/sender.ts",
    from: "if (inflight.message !== undefined) this.#releaseOnly(inflight)\n    this.#link?.pubrel",
    to: "this.#complete(packetId)\n    this.#link?.pubrel",
  },
  {
    kind: "flow",
    fault: "acknowledgements for an earlier connection add to the quota of this one",
    file: "session/inflight.ts",
    from: "if (inflight?.counts === true && this.#quota < this.#initialQuota) this.#quota++",
    to: "if (this.#quota < this.#initialQuota) this.#quota++",
  },
  {
    kind: "retained",
    fault: "what is owed of retained messages ends with the connection",
    file: "session/session.ts",
    from: "this.retained.disconnect()",
    to: "this.retained.clear()",
  },
  {
    kind: "retained",
    fault: "a restart takes what is owed of retained messages for sent",
    file: "hub/restore.ts",
    from: "retained.oweOn(session, walk)",
    to: "retained.oweOn(session, { ...walk, before: 0 })",
  },
  {
    kind: "subscription",
    fault: "UNSUBSCRIBE does not reach the store",
    file: "hub/subscriptions.ts",
    from: 'if (session.kept) session.record({ type: "unsubscribed"',
    to: 'if (!session.kept) session.record({ type: "unsubscribed"',
  },
  {
    kind: "subscription",
    fault: "a restart forgets No Local",
    file: "hub/subscriptions.ts",
    from: "      qos,\n      noLocal,\n      retainAsPublished,\n",
    to: "      qos,\n      noLocal: false,\n      retainAsPublished,\n",
  },
  {
    kind: "subscription",
    fault: "of overlapping subscriptions the first decides about QoS",
    file: "routing/router.ts",
    from: "    if (one.qos > qos) qos = one.qos\n",
    to: "",
  },
  {
    kind: "shared",
    fault: "what a session that ends with its connection has of a group is lost at a crash",
    file: "hub/sessions.ts",
    from: "if (!(subscriber instanceof Session) || subscriber.recorded) return",
    to: "if (!(subscriber instanceof Session) || !subscriber.recorded) return",
  },
  {
    kind: "session of another",
    fault: "a node that has lost a session is not refused what it says of it",
    file: "cluster/commits.ts",
    from: "appends.push({ ...record, expected: log.fence })",
    to: "appends.push({ ...record, expected: undefined })",
    cluster: true,
  },
  {
    kind: "doubled",
    fault: "what a client has published by a node that has lost its session is there all the same",
    file: "cluster/commits.ts",
    from: "if (log?.lost === true) continue",
    to: "if (log?.lost === true && published.length === 0) continue",
    cluster: true,
  },
  {
    kind: "doubled",
    fault: "a batch whose answer was lost is there twice",
    file: "cluster/commits.ts",
    from: "data: encodeText(number), expected, rollup: true",
    to: "data: encodeText(number), rollup: true",
    cluster: true,
  },
  {
    kind: "before it is kept",
    fault: "PUBACK leaves before the servers have the message",
    file: "client/outflow.ts",
    from: "    this.wroteAnswer(false, turn)\n",
    to: "    this.wrote()\n",
    cluster: true,
  },
  {
    kind: "lost",
    fault: "a session's cursor moves when a message is queued, not when it is sent",
    file: "cluster/session-log.ts",
    from: "        image.wait(change, position ?? message,",
    to: "        if (position !== undefined) image.served(position)\n        image.wait(change, position ?? message,",
    cluster: true,
  },
  {
    kind: "lost",
    fault: "who catches up is done though others have been offered more meanwhile",
    file: "hub/catching-up.ts",
    from: "if (!more && next >= this.#needs.cluster.routed(partition))",
    to: "if (!more)",
    cluster: true,
  },
  {
    kind: "lost",
    fault: "SUBACK does not wait until the servers know the filter",
    file: "cluster/interests.ts",
    from: "    this.#waiting.push({ paths, done })\n",
    to: '    done.answer("standing")\n    this.#waiting.push({ paths, done: new Pause() })\n',
    cluster: true,
  },
  {
    kind: "lost",
    fault: "a subscription in the place of another has nothing of what came before",
    file: "cluster/session-log.ts",
    from: "return before === undefined || (before.qos === 0 && qos > 0)",
    to: "return before === undefined || qos > 0",
    cluster: true,
  },
  {
    kind: "lost",
    fault: "a session that is taken over on its node is forgotten there",
    file: "hub/sessions.ts",
    from: "else if (ending.takenOverBy === undefined) this",
    to: "else this",
    cluster: true,
  },
  {
    kind: "doubled",
    fault: "another node does not know which QoS 2 messages have come",
    file: "cluster/session-image.ts",
    from: "        this.received.add(change.packetId)\n",
    to: "",
    cluster: true,
  },
  {
    kind: "doubled",
    fault: "another node does not know what was sent",
    file: "cluster/session-log.ts",
    from: "          written.push({ ...waiting.queued, sequence: positionNumber(waiting.content) })\n        }\n        written.push(change)\n",
    to: "        }\n",
    cluster: true,
  },
  {
    kind: "doubled",
    fault: "what comes live is sent to who has not caught up",
    file: "hub/catching-up.ts",
    from: "return this.#done[partition] === true && sequence > (this.#next[partition] ?? never)",
    to: "return sequence > (this.#next[partition] ?? never)",
    cluster: true,
  },
  {
    kind: "will",
    fault: "a will is lost with the session that ends before it",
    file: "cluster/session-image.ts",
    from: "    this.endsAt = undefined\n    this.subscriptions.clear()",
    to: "    this.endsAt = undefined\n    this.will = undefined\n    this.subscriptions.clear()",
    cluster: true,
  },
]
