from docstore.entrypoints.cli.commands import main

main(prog_name="docstore")
