"""Build the extension for VS Code, a zip file with a manifest: `python editors/vscode/build.py`.

`code --install-extension renaissance-vl-VERSION.vsix` installs it. Neither npm nor Node is needed.
"""

import json
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

FOLDER = Path(__file__).parent
FILES = (
    "package.json",
    "extension.js",
    "server.js",
    "language-configuration.json",
    "syntaxes/vl.tmLanguage.json",
)
_BEGAN = (1980, 1, 1, 0, 0, 0)
_TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension=".json" ContentType="application/json"/>
  <Default Extension=".js" ContentType="application/javascript"/>
  <Default Extension=".vsixmanifest" ContentType="text/xml"/>
</Types>
"""
_MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id={name} Version={version} Publisher={publisher}/>
    <DisplayName>{title}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Categories>Programming Languages</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine}/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset
      Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
  </Assets>
</PackageManifest>
"""


def build(folder: Path) -> Path:
    """Write the extension into a folder and return its path; the same files give the same bytes."""
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    manifest = _MANIFEST.format(
        title=package["displayName"],
        description=package["description"],
        engine=quoteattr(package["engines"]["vscode"]),
        **{key: quoteattr(package[key]) for key in ("name", "version", "publisher")},
    )
    content = {"[Content_Types].xml": _TYPES, "extension.vsixmanifest": manifest}
    content |= {f"extension/{name}": (FOLDER / name).read_text("utf-8") for name in FILES}
    path = folder / f"{package['name']}-{package['version']}.vsix"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            entry = zipfile.ZipInfo(name, _BEGAN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path.cwd())}\n")
