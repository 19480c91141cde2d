// The configuration file: BrokerConfig, with names of files where that has their texts.

import type { LogFormat } from "../admin/log.ts"
import type {
  BridgeConfig,
  BrokerConfig,
  LoginConfig,
  MetricsConfig,
  TcpListenerConfig,
  TlsListenerConfig,
  WsListenerConfig,
  WssListenerConfig,
} from "./config.ts"

export interface FileConfig
  extends Omit<BrokerConfig, "listeners" | "login" | "acl" | "bridges" | "metrics" | "onEvent"> {
  readonly listeners?: readonly FileListener[] | undefined
  readonly login?: FileLogin | undefined
  readonly aclFile?: string | undefined
  readonly metrics?: FileMetrics | undefined
  readonly bridges?: readonly FileBridge[] | undefined
  /** Seconds between two looks at the files; when some have changed, all are read again. */
  readonly reload?: number | undefined
  readonly log?: LogFormat | "none" | undefined
}

/** `cert`, `key` and `ca` are names of files. */
export interface FileMetrics extends Omit<MetricsConfig, "tokens"> {
  readonly tokenFile?: string | undefined
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

/** `ca`, `cert` and `key` are names of files. */
export interface FileBridge extends Omit<BridgeConfig, "password" | "psk">, KeyPassword {
  /** Its first line is the password. */
  readonly passwordFile?: string | undefined
  /** Its first line is the pre-shared key, in hexadecimal digits. */
  readonly pskFile?: string | undefined
}
