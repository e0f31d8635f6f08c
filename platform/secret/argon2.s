// Go declares functions without a body only in packages that hold assembly.
