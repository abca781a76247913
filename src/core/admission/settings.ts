/** What an installation says about its admission webhooks. */
export interface AdmissionSettings {
  /**
   * User names of the controller and of its API server, such as
   * `system:serviceaccount:stageset-system:stageset-controller`. Without any, nobody may write the
   * controller's records: only what Kubernetes itself does to them is let through.
   */
  readonly controllerUsers: readonly string[];
  /** `--default-service-account` */
  readonly defaultServiceAccount: string | undefined;
  /** `--no-cross-namespace-refs` */
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
}
