// Where the broker calls: an https URL, or a plain http one of this machine. Secrets stand in files, so none is in a URL.

export interface Place {
  readonly secure: boolean
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** Path and query, as they are asked for. */
  readonly path: string
  /** The field Host. */
  readonly authority: string
  /** For people: without the query, which may be nobody's business. */
  readonly shown: string
}

/** The place, or what is wrong with the URL, as what completes "must be ..., not ...". */
export function placeOf(url: string): Place | string {
  if (!URL.canParse(url)) return "a URL such as https://login.example/mqtt"
  const { protocol, hostname, port, pathname, search, username, password, hash, host } = new URL(url)
  if (protocol !== "https:" && protocol !== "http:") return "a URL that begins with https://"
  if (username !== "" || password !== "") return "a URL without user and password, which belong into a file"
  if (hash !== "") return "a URL without #"
  const bare = hostname.replace(/^\[|\]$/g, "")
  const secure = protocol === "https:"
  if (!secure && !isLoopbackName(bare))
    return "a URL that begins with https://, as plain http is for this machine only (127.0.0.1, [::1], localhost)"
  return {
    secure,
    host: bare,
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    path: `${pathname}${search}`,
    authority: host,
    shown: `${protocol}//${host}${pathname}`,
  }
}

function isLoopbackName(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)
}
