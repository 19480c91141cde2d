// Places of values in a configuration, as text: `listeners.tls.port`, `listeners[0].port`. "" is all of it.

export function memberOf(where: string, name: string): string {
  return where === "" ? name : `${where}.${name}`
}

export function itemOf(where: string, index: number): string {
  return `${where}[${index}]`
}

/** What a place is in; undefined: it is all of it. */
export function aroundOf(where: string): string | undefined {
  if (where === "") return undefined
  const cut = Math.max(where.lastIndexOf("."), where.endsWith("]") ? where.lastIndexOf("[") : -1)
  return cut < 0 ? "" : where.slice(0, cut)
}
