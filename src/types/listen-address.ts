/** Where a server listens. No host means every interface, IPv4 and IPv6. */
export interface ListenAddress {
  readonly host?: string;
  /** 1 to 65535; 0 lets the system choose, which only tests want. */
  readonly port: number;
}
