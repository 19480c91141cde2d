// IP addresses as text and bytes: dotted decimal as RFC 3986 section 3.2.2 writes it, IPv6 as RFC 4291 reads and RFC 5952 writes it.

/** 4 or 16 bytes of an address, or undefined when the text is none. No octal, no hexadecimal, no short forms, no zone. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (text.length > 45) return undefined
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".")
  if (parts.length !== 4) return undefined
  const bytes = new Uint8Array(4)
  for (let i = 0; i < 4; i++) {
    if (!/^(0|[1-9]\d{0,2})$/.test(parts[i]!)) return undefined
    const value = Number(parts[i])
    if (value > 255) return undefined
    bytes[i] = value
  }
  return bytes
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  // RFC 4291 2.2 (3): dotted decimal stands at the end of the whole address only.
  const front = groups(halves[0]!, halves.length === 1)
  const back = halves.length === 2 ? groups(halves[1]!, true) : []
  if (front === undefined || back === undefined) return undefined
  const missing = 16 - front.length - back.length
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined
  return Uint8Array.from([...front, ...new Array<number>(missing).fill(0), ...back])
}

/** The bytes of groups between colons. @param dotted whether the last may be dotted decimal */
function groups(text: string, dotted: boolean): number[] | undefined {
  if (text === "") return []
  const bytes: number[] = []
  const parts = text.split(":")
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (dotted && part.includes(".") && i === parts.length - 1) {
      const tail = parseIpv4(part)
      if (tail === undefined) return undefined
      bytes.push(...tail)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      const value = Number.parseInt(part, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes
}

/** The canonical text of 4 or 16 bytes; of 8 or 32, `address/prefix` (a constraint). */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 8 || bytes.length === 32) {
    const half = bytes.length / 2
    let prefix = 0
    for (const byte of bytes.subarray(half)) for (let bit = 0x80; bit > 0; bit >>= 1) if (byte & bit) prefix++
    return `${addressText(bytes.subarray(0, half))}/${prefix}`
  }
  return bytes.length === 16 ? ipv6Text(bytes) : bytes.join(".")
}

/** RFC 5952 4: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
function ipv6Text(bytes: Uint8Array): string {
  const values: number[] = []
  for (let i = 0; i < 16; i += 2) values.push((bytes[i]! << 8) | bytes[i + 1]!)
  let best = 0
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && values[i + length] === 0) length++
    if (length > bestLength) {
      best = i
      bestLength = length
    }
  }
  const text = (part: number[]): string => part.map((value) => value.toString(16)).join(":")
  if (bestLength < 2) return text(values)
  return `${text(values.slice(0, best))}::${text(values.slice(best + bestLength))}`
}
