// The configuration file: BrokerConfig, with names of files where that has their texts.

import type {
  BrokerConfig,
  LoginConfig,
  TcpListenerConfig,
  TlsListenerConfig,
  WsListenerConfig,
  WssListenerConfig,
} from "./config.ts"

export interface FileConfig extends Omit<BrokerConfig, "listeners" | "login" | "acl" | "onEvent"> {
  readonly listeners?: readonly FileListener[] | undefined
  readonly login?: FileLogin | undefined
  readonly aclFile?: string | undefined
  /** Seconds between two looks at the files; when some have changed, all are read again. */
  readonly reload?: number | undefined
  readonly log?: "text" | "json" | "none" | undefined
}

export interface FileLogin extends Omit<LoginConfig, "passwords"> {
  readonly passwordFile?: string | undefined
}

/** `cert`, `key`, `ca` and `crl` are names of files. */
export type FileListener =
  | TcpListenerConfig
  | WsListenerConfig
  | (TlsListenerConfig & KeyPassword)
  | (WssListenerConfig & KeyPassword)

export interface KeyPassword {
  /** Its first line is the password of `key`, when that is encrypted. */
  readonly keyPasswordFile?: string | undefined
}
