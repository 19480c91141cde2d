/** What a cluster has where its configuration says nothing. */
export const defaultPartitions = 4
/** Seconds. */
export const defaultRetention = 604_800

/** What a node is called where its configuration says nothing: its machine's name, as far as it can be one of a node's. */
export function nodeNameOf(hostname: string): string {
  return hostname.replaceAll(/[^\w.-]+/g, "-").slice(0, 64) || "node"
}
