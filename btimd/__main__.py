"""python -m btimd: the same as the command btimd."""

from btimd.cli.btimd import main

raise SystemExit(main())
