// A counterexample in words of TLS: which message went where, and what came of it.

const parties = ["the attacker", "client 1", "client 2", "server 1", "server 2"] as const

const promises: Readonly<Record<string, string>> = {
  authentication: "is CONNECTED, and nothing has proven who its peer is",
  psk_proven: "takes a PSK that nobody has proven to have in this ClientHello",
  agreement: "is CONNECTED, and no honest peer has seen this handshake as it has",
  once: "is CONNECTED by a run that another has taken for its own",
  secrecy: "is CONNECTED, and the attacker can compute its secrets",
  forward_secrecy: "was CONNECTED before the long-term keys leaked, and its secrets can be computed now",
  key_order: "goes back to keys that it had left",
  fresh_nonce: "seals two records with one key and one nonce",
  fresh_keys: "goes on under keys from before its KeyUpdate",
  data_origin: "delivers data that its peer has not sent",
  early_once: "delivers 0-RTT data that was delivered before",
  clean_end: "takes for the end of the data what its peer has not said",
  completes: "does not get to CONNECTED, or to all of its data, over a network that only carries",
}

/** What the model promises, by name. */
export const promiseNames: readonly string[] = Object.keys(promises)

/** The first promise that a trail breaks. */
export function brokenPromise(trail: readonly string[]): string | undefined {
  return trail.map((line) => /^@broken (\w+)/.exec(line)?.[1]).find((name) => name !== undefined)
}

/** @param generated names of secrets are in it */
export function inWords(trail: readonly string[], generated: string): readonly string[] {
  const secrets = new Map(
    [...generated.matchAll(/^#define (\w+_(?:secret|key)) (\d+)$/gm)].map(
      ([, name, number]) => [number, name] as const,
    ),
  )
  const under = (key: string | undefined) =>
    key === "0" || key === undefined ? "in the clear" : `under ${secrets.get(key)}`
  const lines: string[] = []
  let broken = false
  for (const line of trail) {
    const [what, ...words] = line.split(" ")
    const [first = "0", second = "", third = "0", fourth = "0", fifth] = words
    const party = parties[Number(first)] ?? "somebody"
    if (what === "@sends" && !broken) lines.push(`${party} sends ${second}${proofOf(second, third)} ${under(fourth)}`)
    else if (what === "@comes")
      lines.push(
        `${party} gets ${second}${contentOf(second, Number(third))} ${under(fifth)}, ${fourth === "0" ? "made by the attacker" : `as ${parties[Number(fourth)]} sealed it`}`,
      )
    else if (what === "@goes") lines.push(`  and is in ${second}`)
    else if (what === "@alert") lines.push(`  and answers with ${second}`)
    else if (what === "@skips") lines.push(`${party} skips 0-RTT data that it does not take`)
    else if (what === "@leaks") lines.push("the server's private key and the PSK become known")
    else if (what === "@broken" && !broken) {
      broken = true
      const who = Number(first) > 0 ? party : "somebody"
      lines.push(`BROKEN ${second === "" ? first : ""}`.trim())
      lines[lines.length - 1] =
        `BROKEN ${words[0]}: ${parties[Number(second)] === parties[0] ? "an end" : (parties[Number(second)] ?? who)} ${promises[first]}`
    }
  }
  return lines
}

/** Whose signature or MAC it is. */
function proofOf(message: string, content: string): string {
  const maker = Number(content) & 7
  return (message === "certificate_verify" || message === "finished") && maker > 0 ? ` of ${parties[maker]}` : ""
}

function contentOf(message: string, content: number): string {
  if (message === "certificate" || message === "compressed_certificate")
    return ` of ${["", "the server", "the client", "the attacker", "nobody"][content]}`
  if (message === "certificate_verify" || message === "finished")
    return (content & 7) === 0 ? " of the attacker" : proofOf(message, String(content))
  if (message === "encrypted_extensions") return content & 1 ? " (0-RTT is taken)" : ""
  if (message !== "client_hello" && message !== "server_hello") return ""
  const [owner, group] = [(content >> 7) & 7, (content >> 10) & 3]
  const share = group === 0 ? "no share" : `share of ${parties[owner]} in group ${group}`
  if (message === "client_hello") {
    const [suites, groups, psk] = [(content >> 3) & 3, (content >> 5) & 3, (content >> 12) & 3]
    const list = (bits: number) => [1, 2].filter((one) => bits & one).join("+")
    return ` (random of ${parties[content & 7]}, suites ${list(suites)}, groups ${list(groups)}, ${share}${psk ? `, PSK ${psk}` : ""}${(content >> 16) & 1 ? ", 0-RTT" : ""}${(content >> 18) & 1 ? "" : ", no TLS 1.3"})`
  }
  if ((content >> 13) & 1) return ` (HelloRetryRequest: suite ${(content >> 3) & 3}, group ${group})`
  return ` (random of ${parties[content & 7]}, suite ${(content >> 3) & 3}, ${share}${(content >> 12) & 1 ? ", PSK" : ""})`
}
