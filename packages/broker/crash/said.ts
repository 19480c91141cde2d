// What publishers say: all of it follows from who says it, and the how manieth it is.

/** What a PUBLISH of ours says. */
export interface Said {
  readonly by: string
  readonly count: number
}

/** Topics with a retained message that each publisher has at each QoS. */
const slots = 5 // no multiple of three: the last of some of them is a removal

/** QoS 1 and 2 in turn. */
export function qosOf(count: number): 1 | 2 {
  return count % 2 === 0 ? 2 : 1
}

/** One in ten is retained, and goes to a topic that nobody has subscribed to. */
export function isRetained(count: number): boolean {
  return count % 20 === 1 || count % 20 === 10
}

/** A third of them take away what is retained. */
export function isRemoval(count: number): boolean {
  return isRetained(count) && Math.floor(count / 20) % 3 === 2
}

export function topicOf({ by, count }: Said): string {
  const qos = qosOf(count)
  return isRetained(count) ? `retained/${by}/${qos}/${Math.floor(count / 20) % slots}` : `messages/${by}/${qos}`
}

/** @param size bytes that it has at least */
export function payloadFor(said: Said, size: number): string {
  return isRemoval(said.count) ? "" : textOf(said).padEnd(size)
}

export function textOf({ by, count }: Said): string {
  return `${by} ${qosOf(count)} ${count}`
}

export function saidIn(payload: string): Said | undefined {
  const match = /^(p\d) (\d) (\d+) *$/.exec(payload)
  if (match === null || Number(match[2]) !== qosOf(Number(match[3]))) return undefined
  return { by: match[1]!, count: Number(match[3]) }
}
