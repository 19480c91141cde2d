// What an import needs of the machine, and of the option table.

export interface ImportMeans {
  /** The text of a file; undefined: there is none, or none that can be read. */
  readonly read: (path: string) => string | undefined
  /** Names of the files in a folder; undefined: there is none. */
  readonly list: (path: string) => readonly string[] | undefined
  /** A variable of the environment. */
  readonly variable: (name: string) => string | undefined
  /** Whether a path is an option of ours; `*` is a listener. */
  readonly knows: (path: string) => boolean
  /** The whole path of a name that is relative to the folder of a file. */
  readonly beside: (file: string, name: string) => string
  /** The line of a password file for a user. */
  readonly passwordLine: (user: string, password: string) => Promise<string>
  /** A new token of the admin API, and its line in a file of them. */
  readonly adminToken: () => { readonly token: string; readonly line: string }
  /** A public key in PEM as a JWK (RFC 7517); undefined: it is none that can be read. */
  readonly jwkOf: (pem: string) => object | undefined
}
