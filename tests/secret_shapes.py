"""Forty shapes of secrets: none of them may be in a document, whatever the variable or the option is named."""

import base64

# The part that identifies a value as a secret, in every shape and every spelling. It is not a real one.
MARK = "h7Tq9zWv"


def _basic(user: str) -> str:
    return base64.b64encode(f"{user}:{MARK}".encode()).decode("ascii")


# The name of a variable or an option, and the text that it has.
SHAPES: dict[str, str] = {
    "MYSQL_PWD": MARK,
    "PGPASSFILE_CONTENT": f"db.example:5432:acme:app:{MARK}",
    "GH_PAT": f"ghp_{MARK}ABCDEFGHIJKLMNOPQRSTUVWXYZ01",
    "GITLAB": f"glpat-{MARK}-x",
    "SLACK": f"xoxb-1234567890-{MARK}",
    "AUTHORIZATION": f"Bearer {MARK}",
    "BASIC": f"Basic {_basic('app')}",
    "BASIC_USER": f"app:{MARK}",
    "JWT": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{MARK}",
    "AWS_ID": f"AKIA{MARK.upper()}ABCD",
    "AWS_KEY": f"wJalrXUtnFEMI/K7MDENG/{MARK}/EXAMPLE+=",
    "AZURE": f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={MARK}==;EndpointSuffix=example",
    "GCP": f'{{"type": "service_account", "private_key_id": "{MARK}"}}',
    "DSN": f"postgres://app:{MARK}@db.example/acme",
    "DSN_KEYWORDS": f"host=db.example user=app password={MARK} dbname=acme",
    "DSN_SENTRY": f"https://{MARK}@sentry.example/1",
    "DSN_NO_HOST": f"mysql://app:{MARK}@/acme?unix_socket=/run/mysqld.sock",
    "DSN_ESCAPED": f"redis://:{MARK}%40%2F%3A@cache.example:6379/0",
    "AMQP": f"amqps://app:{MARK}/slash@mq.example//",
    "WEBHOOK": f"https://hooks.example/services/T000/B000/{MARK}",
    "CALLBACK": f"https://app.example/callback?code={MARK}&state=1",
    "QUERY_TOKEN": f"https://app.example/x?access_token={MARK}",
    "FRAGMENT": f"https://app.example/x#{MARK}",
    "SIGNED": f"https://store.example/x?X-Amz-Signature={MARK}&X-Amz-Expires=9",
    "PEM": f"-----BEGIN PRIVATE KEY-----\nMIIEvQ{MARK}\n{MARK}==\n-----END PRIVATE KEY-----\n",
    "SSH": f"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn{MARK}\n-----END OPENSSH PRIVATE KEY-----",
    "PGP": f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{MARK}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----",
    "NETRC": f"machine x.example login app password {MARK}",
    "HTPASSWD": f"app:$apr1$salt$ {MARK}",
    "CRYPT": f"$6$rounds=5000${MARK}$x/y.",
    "YAML": f"user: app\npassword: {MARK}\n",
    "TOML": f'[db]\npassword = "{MARK}"',
    "LINES": f"first\n{MARK}\n\tlast",
    "SPACES": f"  {MARK} with spaces  ",
    "QUOTES": f'it\'s "{MARK}" `quoted` $(x)',
    "BACKSLASH": f"C:\\keys\\{MARK}\\x\\n",
    "PERCENT": f"%41%42{MARK}%2B%25",
    "UNICODE": f"ключ-{MARK}-пароль-密码",
    "BIDI": f"\u202e{MARK}\u2066",
    "EMOJI": f"\U0001f511{MARK}",
    "LONG": f"{'x' * 3000}{MARK}",
    "OPTION": f"--password={MARK}",
    "OPTION_SHORT": f"-p{MARK}",
    "HEADER": f"X-Api-Key: {MARK}",
    "COOKIE": f"Cookie: session={MARK}; path=/",
    "ASSIGNMENT": f"export X={MARK}",
    "MASK": f"**** {MARK}",
}


def spellings(text: str) -> tuple[str, ...]:
    """Return the texts that must not be in an output: the mark, and the whole shape encoded as programs do it."""
    encoded = base64.b64encode(text.encode("utf-8")).decode("ascii")
    return (MARK, MARK.upper(), _basic("app"), encoded)
