// Bytes as tools print them and people paste them: plain hexadecimal, dumps with offsets and letters beside it, arrays of programs, and
// what `openssl s_client -msg` says.

/** Groups of two digits or four, with one space between. */
const groups = /^(?:[0-9a-fA-F]{2}|[0-9a-fA-F]{4})(?:[ \t](?:[0-9a-fA-F]{2}|[0-9a-fA-F]{4}))*$/

/** The digits of it, and whatever else is left that belongs to no form that is known. */
export function digitsOf(text: string): string {
  const plain = text.replace(/\r/g, "").replace(/\/\*[\s\S]*?\*\//g, " ")
  // Arrays of C, Go, Rust, Java and JavaScript, and strings with \x in them: bytes with a mark each.
  if (/\\x[0-9a-fA-F]{2}/.test(plain)) return all(plain, /\\x([0-9a-fA-F]{2})/g)
  const lines = plain.split("\n").map(withoutRemark)
  if (/\b0x[0-9a-fA-F]{1,2}\b/.test(lines.join("\n"))) return all(lines.join("\n"), /\b0x([0-9a-fA-F]{1,2})\b/g)
  const dumped = linesOfDump(lines.filter((line) => line.trim() !== ""))
  // What mail and word processors make of spaces and quotes is meant by nobody.
  return dumped
    .join(" ")
    .replace(/\b0x/gi, "")
    .replace(/[\s,:;{}[\]()"'`\u00a0\u200b\u2018\u2019\u201c\u201d\ufeff]+/g, "")
}

function all(text: string, mark: RegExp): string {
  return Array.from(text.matchAll(mark), ([, digits = ""]) => digits.padStart(2, "0")).join("")
}

/** `# Section 3`, `// the type`. */
function withoutRemark(line: string): string {
  return line.replace(/(?:^|\s)(?:#|\/\/).*$/, "")
}

/** `0000  16 03 01 ...  ....`, `00000000: 1603 01..  ....`, `00000000  16 03 ...  00 c8 ...  |....|`, `0000000 16 03 ...`. */
function linesOfDump(lines: readonly string[]): readonly string[] {
  const offset = /^\s*(?:0x)?([0-9a-fA-F]{4,16})(:?)(?=\s|$)\s*/
  const [, first = "", colon = ""] = offset.exec(lines[0] ?? "") ?? []
  // Nothing that TLS sends begins with four zeros: an offset does.
  const hasOffsets = /^0+$/.test(first) || colon !== ""
  return lines.map((line) => {
    if (hasOffsets) return bytesOfLine(line.replace(offset, ""))
    // A part of a dump, from its middle on.
    const part = /^\s*(?:0x)?[0-9a-fA-F]{4,8}(?::|\s\s)\s*(?=[0-9a-fA-F]{2,4}\s)/.exec(line)?.[0]
    return part === undefined ? line : bytesOfLine(line.slice(part.length))
  })
}

/** Without the letters behind it: what is left of two spaces, or of two times eight bytes with two spaces in the middle. */
function bytesOfLine(line: string): string {
  const [left = "", right = ""] = line
    .replace(/\|.*$/, "")
    .trim()
    .split(/\s{2,}|\t/)
  if (!groups.test(left)) return left
  const isHalf = left.split(" ").length === 8 && left.length === 8 * 3 - 1
  return isHalf && groups.test(right) ? `${left} ${right}` : left
}

export interface ToldMessage {
  readonly isSent: boolean
  readonly bytes: string
}

/**
 * What `openssl s_client -msg` says of the handshake: the messages with their digits, in order. Undefined: it is no such text.
 * Behind the ServerHello it tells what was inside of records that it does not show: these are left out.
 */
export function openSslMessages(text: string): readonly ToldMessage[] | undefined {
  const heads = [...text.matchAll(/^(>>>|<<<) [^\n]*$/gm)]
  if (heads.length === 0) return undefined
  return heads.flatMap((head, at) => {
    const [line, direction] = head
    if (!/Handshake \[length [0-9a-f]+\], (ClientHello|ServerHello)/.test(line)) return []
    const rest = text.slice(head.index + line.length, heads[at + 1]?.index)
    // Lines of other kinds stand between the bytes of one message and the head of the next.
    const lines = rest.split("\n").filter((each) => /^\s+(?:[0-9a-fA-F]{2}\s*)+$/.test(each))
    return [{ isSent: direction === ">>>", bytes: lines.join("").replace(/\s+/g, "") }]
  })
}
