// A device that keeps passkeys: Chromium's virtual authenticator. It answers what is asked while somebody touches it.

/** Gives the page of a browser context a device: `{ touch(), leave(), credentials(), copyTo(other) }`. */
export async function installPasskeys(context, page) {
  const session = await context.newCDPSession(page);
  await session.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: false },
  });
  const touch = (enabled) => session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  const device = {
    touch: () => touch(true),
    leave: () => touch(false),
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    add: (credential) => session.send('WebAuthn.addCredential', { authenticatorId, credential }),
    /** The same keys on another device, as no real one gives them away. */
    async copyTo(other) {
      for (const credential of await device.credentials()) await other.add(credential);
    },
  };
  return device;
}
