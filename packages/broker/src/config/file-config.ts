// The configuration file: BrokerConfig, with names of files where that has their texts.

import type { LogFormat } from "../admin/log.ts"
import type {
  AdminConfig,
  BridgeConfig,
  BrokerConfig,
  ClusterConfig,
  HttpLoginConfig,
  JwtConfig,
  LoginConfig,
  MetricsConfig,
  TcpListenerConfig,
  TicketSettings,
  TlsListenerConfig,
  WebhookConfig,
  WsListenerConfig,
  WssListenerConfig,
} from "./config.ts"

export interface FileConfig
  extends Omit<
    BrokerConfig,
    "listeners" | "login" | "acl" | "bridges" | "cluster" | "metrics" | "admin" | "onReload" | "onEvent" | "webhooks"
  > {
  readonly listeners?: readonly FileListener[] | undefined
  readonly login?: FileLogin | undefined
  readonly webhooks?: readonly FileWebhook[] | undefined
  readonly aclFile?: string | undefined
  readonly cluster?: FileCluster | undefined
  readonly metrics?: FileMetrics | undefined
  readonly bridges?: readonly FileBridge[] | undefined
  readonly admin?: FileAdmin | undefined
  /** Seconds between two looks at the files; when some have changed, all are read again. */
  readonly reload?: number | undefined
  readonly log?: LogFormat | "none" | undefined
}

/** `cert`, `key` and `ca` are names of files. */
export interface FileCluster extends Omit<ClusterConfig, "credentials"> {
  readonly credentialsFile?: string | undefined
}

/** `cert`, `key` and `ca` are names of files. */
export interface FileMetrics extends Omit<MetricsConfig, "tokens"> {
  readonly tokenFile?: string | undefined
}

/** `cert` and `key` are names of files. */
export interface FileAdmin extends Omit<AdminConfig, "tokens">, Pick<KeyPassword, "keyPasswordFile"> {
  /** Must be there; on a command line it is an option of its own. */
  readonly tokenFile?: string | undefined
}

export interface FileLogin extends Omit<LoginConfig, "passwords" | "jwt" | "http"> {
  readonly passwordFile?: string | undefined
  readonly jwt?: FileJwt | undefined
  readonly http?: FileHttpLogin | undefined
}

/** `ca` is the name of a file, here and in those below. */
export interface FileJwt extends Omit<JwtConfig, "jwks"> {
  readonly jwksFile?: string | undefined
}

export interface FileHttpLogin extends Omit<HttpLoginConfig, "token"> {
  readonly tokenFile?: string | undefined
}

export interface FileWebhook extends Omit<WebhookConfig, "secret"> {
  readonly secretFile?: string | undefined
}

/** `cert`, `key`, `ca` and `crl` are names of files. */
export type FileListener = TcpListenerConfig | WsListenerConfig | FileTlsListener | FileWssListener
export type FileTlsListener = Omit<TlsListenerConfig, keyof TextsOfFiles> & TlsFiles
export type FileWssListener = Omit<WssListenerConfig, keyof TextsOfFiles> & TlsFiles

/** What a file names in another form. */
type TextsOfFiles = Pick<TlsListenerConfig, "ech" | "ocsp" | "tickets">

export interface TlsFiles extends KeyPassword, StapleFile {
  readonly tickets?: FileTickets | undefined
  readonly ech?: FileEch | undefined
}

export interface FileEch {
  /** Of RFC 9934, the best first: those that clients with an unknown one are told to retry with. */
  readonly keyFiles: readonly string[]
  /** Those that clients may still have. */
  readonly oldKeyFiles?: readonly string[] | undefined
}

export interface StapleFile {
  /** DER of an OCSP response. */
  readonly ocspFile?: string | undefined
}

export interface FileTickets extends TicketSettings {
  readonly keysFile?: string | undefined
}

export interface KeyPassword {
  /** The password of `key`, when that is encrypted. */
  readonly keyPassword?: string | undefined
  /** Its first line is the password of `key`, when that is encrypted. */
  readonly keyPasswordFile?: string | undefined
}

/** `ca`, `cert` and `key` are names of files. */
export interface FileBridge extends Omit<BridgeConfig, "password" | "psk">, Pick<KeyPassword, "keyPasswordFile"> {
  /** Its first line is the password. */
  readonly passwordFile?: string | undefined
  /** Its first line is the pre-shared key, in hexadecimal digits. */
  readonly pskFile?: string | undefined
}
