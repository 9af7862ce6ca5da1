/** Step 3: a sign-in of one's own, so that answers are signed; or alone for now, which stays comfortable and is said. */
import { Button } from '@mantine/core';
import { FirstSignIn } from '../people/FirstSignIn.tsx';

export function SignInStep({ person, onDone }: { person: string; onDone: () => void }) {
  return (
    <div>
      <h1>Your sign-in</h1>
      <p className="setup-lead">
        With a sign-in of your own, each approval is signed by a key that only your passphrase opens, and a
        pack shows that it was you. The key is made here, in this page; the passphrase never leaves it.
      </p>
      <FirstSignIn
        person={person}
        onDone={onDone}
        foot={
          <p className="mute">
            <Button variant="default" size="sm" onClick={onDone}>
              I work alone for now
            </Button>
            <span className="setup-aside">
              Your answers will be unsigned, and packs will say so. You can make a sign-in at any time under
              Settings, People.
            </span>
          </p>
        }
      />
    </div>
  );
}
